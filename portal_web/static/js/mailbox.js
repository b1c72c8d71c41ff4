// Shows letters as they arrive: asks for the page again every few seconds, while it is looked at.

const EVERY_MS = 3000;

async function look() {
  if (document.hidden) return;
  try {
    const answer = await fetch(location.pathname, { headers: { accept: "text/html" } });
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("letters");
    const shown = document.getElementById("letters");
    if (fresh && fresh.textContent !== shown.textContent) shown.replaceWith(document.adoptNode(fresh));
  } catch {
    // the demo has ended: what was read stays
  }
}

setInterval(look, EVERY_MS);
