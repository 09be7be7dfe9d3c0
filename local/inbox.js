// Shows new mails as they come, unless the reader ticks it off or is reading a list of older ones.
const follow = document.getElementById("follow");
if (follow && !new URLSearchParams(location.search).has("before")) {
  follow.closest("p").hidden = false;
  setInterval(async () => {
    const mails = document.getElementById("mails");
    if (!follow.checked || document.hidden || mails.contains(document.activeElement)) return;
    const answer = await fetch(location).catch(() => null);
    if (!answer || !answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("mails");
    if (fresh.innerHTML !== mails.innerHTML) mails.replaceWith(fresh);
  }, 2000);
}
