// The preview beside the form: follows what is typed, and stays with what is saved where it cannot.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  narrow();
  document.querySelectorAll("textarea[name=body], textarea[name=source]").forEach(bound);
  const panel = document.getElementById("compose-panel");
  if (panel) follow(panel);
});

function follow(panel) {
  const form = document.getElementById(panel.dataset.form);
  const frame = panel.querySelector("iframe");
  const box = panel.querySelector(".heed-frame");
  const person = panel.querySelector("#preview-person");
  const status = panel.querySelector("#preview-status");
  const parts = [...panel.querySelectorAll("[data-part]")].filter((one) => one.tagName === "A");
  let unsaved = "";
  let part = parts[0];
  let waiting = 0;
  let busy = false;
  let again = false;

  const show = () => {
    const address = new URL(part.href);
    if (person) address.searchParams.set("person", person.value);
    if (unsaved) address.searchParams.set("unsaved", unsaved);
    box.dataset.part = part.dataset.part;
    parts.forEach((one) => one.toggleAttribute("aria-current", false));
    part.setAttribute("aria-current", "true");
    frame.src = address;
  };

  // One request at a time: what is typed while it is made is asked for once it has come back.
  const update = async () => {
    if (busy) {
      again = true;
      return;
    }
    busy = true;
    again = false;
    try {
      const form_data = new FormData(form);
      if (person) form_data.append("person", person.value);
      const answer = await fetch(panel.dataset.unsaved, {
        method: "POST",
        body: form_data,
        headers: { Accept: "application/json" },
      });
      if (answer.status === 429) {
        waiting = setTimeout(update, 700);
        return;
      }
      if (!answer.ok) throw new Error(answer.status);
      const made = await answer.json();
      if (again) return;
      unsaved = made.unsaved;
      say(panel, made);
      status.textContent = "";
      show();
    } catch {
      unsaved = "";
      status.textContent = "The preview shows what was saved last; it cannot follow what you type now.";
      show();
    } finally {
      busy = false;
      if (again) update();
    }
  };

  parts.forEach((one) =>
    one.addEventListener("click", (event) => {
      event.preventDefault();
      part = one;
      show();
    }),
  );
  const follows = panel.dataset.unsaved && form;
  const changed = follows ? update : show;
  if (person) person.addEventListener("change", changed);
  if (panel.dataset.search) search(panel, person, status, changed);
  if (follows) {
    form.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(update, 400);
    });
    update();
  }
}

// What is far too long is told before it is posted, so that nothing typed is lost on the way.
function bound(area) {
  const most = 200000;
  const size = () => new TextEncoder().encode(area.value).length;
  area.addEventListener("input", () => area.setCustomValidity(""));
  area.form.addEventListener("submit", (event) => {
    if (size() <= most) return;
    event.preventDefault();
    area.setCustomValidity(`This has ${Math.ceil(size() / 1000)} kB; at most 200 kB are allowed.`);
    area.reportValidity();
  });
}

function say(panel, made) {
  const list = panel.querySelector("#preview-faults");
  list.replaceChildren(
    ...made.faults.map((fault) => {
      const line = document.createElement("li");
      line.textContent = `${fault.field}: ${fault.words}`;
      return line;
    }),
  );
  panel.querySelector("#checks").innerHTML = made.checks;
}

function search(panel, person, status, show) {
  const form = panel.querySelector("#people-form");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      const answer = await fetch(form.action, {
        method: "POST",
        body: new FormData(form),
        headers: { Accept: "application/json" },
      });
      if (!answer.ok) throw new Error(answer.status);
      const { people } = await answer.json();
      status.textContent = people.length ? "" : "Nobody of this audience has such an address.";
      if (!people.length) return;
      person.replaceChildren(...people.map((one) => new Option(one.label, one.id)));
      show();
    } catch {
      form.submit();
    }
  });
}

// A new mailing: choosing the client leaves only what belongs to it. The server checks it again.
function narrow() {
  const client = document.querySelector("form select[name=client]");
  const here = new URL(window.location.href);
  if (!client || !client.form.querySelector("[name=sender]")) return;
  client.addEventListener("change", () => {
    here.searchParams.set("client", client.value);
    ["subject", "preheader", "reason"].forEach((name) => {
      const field = client.form.querySelector(`[name=${name}]`);
      if (field && field.value) here.searchParams.set(name, field.value);
    });
    client.form.classList.remove("warn-unsaved-form");
    window.location.assign(here);
  });
}
