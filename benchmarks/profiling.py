"""Where each microsecond of a message goes: clocks around the engine's own functions."""

import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, TypeVar, cast

from benchmarks import machine

if TYPE_CHECKING:
    from newsletter.models import Campaign


Step = TypeVar("Step")


class Clocks:
    """Processor and wall time spent in each stage, what is nested in it taken off."""

    def __init__(self) -> None:
        self.cpu: dict[str, float] = defaultdict(float)
        self.wall: dict[str, float] = defaultdict(float)
        self.calls = 0
        self._here = threading.local()

    def around(self, stage: str, function: Callable[..., object]) -> Callable[..., object]:
        """Return the function with a clock of its stage around it."""

        def timed(*args: object, **kwargs: object) -> object:
            stack = self._enter()
            try:
                return function(*args, **kwargs)
            finally:
                self._leave(stage, stack)

        return timed

    def _enter(self) -> list[list[float]]:
        stack: list[list[float]] = self._here.__dict__.setdefault("stack", [])
        stack.append([time.perf_counter(), time.thread_time(), 0.0, 0.0])
        return stack

    def _leave(self, stage: str, stack: list[list[float]]) -> None:
        wall_from, cpu_from, wall_nested, cpu_nested = stack.pop()
        cpu, wall = time.thread_time() - cpu_from, time.perf_counter() - wall_from
        self.cpu[stage] += cpu - cpu_nested
        self.wall[stage] += wall - wall_nested
        self.calls += 1
        if stack:
            stack[-1][2] += wall
            stack[-1][3] += cpu

    def stepping(self, stage: str, steps: Iterable[Step]) -> Iterator[Step]:
        """Return an iterator whose steps are clocked, not what its consumer does between them."""
        step = cast("Callable[[], Step]", self.around(stage, iter(steps).__next__))
        while True:
            try:
                item = step()
            except StopIteration:
                return
            yield item


def everywhere(function: Callable[..., object], instead: Callable[..., object]) -> None:
    """Put another function wherever a module of the engine names this one."""
    for name, module in list(sys.modules.items()):
        if name.startswith("newsletter"):
            for attribute, value in list(vars(module).items()):
                if value is function:
                    setattr(module, attribute, instead)


def clock(clocks: Clocks) -> None:
    """Put the clocks around the engine's public functions, for the rest of this process."""
    from newsletter import pace
    from newsletter.delivery import claiming
    from newsletter.delivery.journal import Journal
    from newsletter.pace import breakers
    from newsletter.receivers import lookup
    from newsletter.rendering.renderer import Renderer
    from newsletter.transports import Message, Note, Outcome, SmtpTransport

    everywhere(claiming.claim, clocks.around("hand over", claiming.claim))
    everywhere(claiming.settle, clocks.around("settle", claiming.settle))
    everywhere(pace.admit, clocks.around("pace", pace.admit))
    everywhere(pace.record, clocks.around("pace", pace.record))
    everywhere(breakers.record, clocks.around("pace", breakers.record))
    everywhere(lookup.receiver_of, clocks.around("receiver", lookup.receiver_of))
    put = setattr  # the checker of types knows that a method is not to be assigned to
    put(Renderer, "render", clocks.around("render", Renderer.render))
    put(Journal, "__call__", clocks.around("notes", Journal.__call__))
    send = SmtpTransport.send

    def sent(
        self: SmtpTransport, messages: Iterable[Message], *, note: Note | None = None
    ) -> Iterator[Outcome]:
        pulled = clocks.stepping("carry and wait for the ledger", messages)
        return clocks.stepping("wire", send(self, pulled, note=note))

    put(SmtpTransport, "send", sent)


def cost_of_a_clock(calls: int = 20_000) -> float:
    """Return the processor seconds one clock takes."""
    idle = Clocks()
    nothing = idle.around("nothing", lambda: None)
    began = time.thread_time()
    for _ in range(calls):
        nothing()
    return (time.thread_time() - began) / calls


def profiled(campaign: "Campaign") -> dict[str, object]:
    """Stage and send a campaign in this process; return µs per message by stage, which add up.

    cpu_us are this process's; its `rest` is what no clock stood around (reckoning leases, logging,
    garbage), `clocks` what the measuring itself took. wall_us of the wire's thread add up to the
    whole; those of the ledger's thread run beside it.
    """
    from newsletter.delivery import staging, worker
    from newsletter.mailings import lifecycle

    lifecycle.send_now(mailing=campaign, staff=None)
    count = staging.stage(campaign.pk) or 0
    clocks = Clocks()
    clock(clocks)
    clock_cost = cost_of_a_clock()
    postgres, began, used = machine.postgres_cpu(), time.perf_counter(), time.process_time()
    serve = clocks.around("begin and end", worker.serve)
    while serve(lanes=("campaigns",), seconds=4.0):
        pass
    used, seconds = time.process_time() - used, time.perf_counter() - began
    postgres = machine.postgres_cpu() - postgres
    cpu = {stage: clocks.cpu[stage] / count * 1e6 for stage in clocks.cpu}
    measuring = clocks.calls * clock_cost / count * 1e6
    beside = ("hand over", "settle")
    total = used / count * 1e6
    return {
        "messages": count,
        "per_second_while_clocked": round(count / seconds),
        "cpu_us": {stage: round(value, 1) for stage, value in sorted(cpu.items())}
        | {"rest": round(total - sum(cpu.values()), 1), "total": round(total, 1)},
        "of_these_clocks_us": round(measuring, 1),
        "postgres_cpu_us": round(postgres / count * 1e6, 1),
        "wall_us_ledger_thread": {name: _us(clocks.wall[name], count) for name in beside},
        "wall_us_wire_thread": {
            name: _us(value, count) for name, value in clocks.wall.items() if name not in beside
        }
        | {"total": _us(seconds, count)},
    }


def _us(seconds: float, count: int) -> float:
    return round(seconds / count * 1e6, 1)
