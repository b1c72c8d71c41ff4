// A letter's link: takes the token out of the fragment (which no server is sent) and out of the address, posts it, and goes to the visit.

const parts = [...document.querySelectorAll("[data-part]")];
const again = document.querySelector("[data-again]");
const asks = document.querySelector("[data-asks]");
const instead = document.querySelector("[data-instead]");
const GONE = [400, 404, 413, 422];
let token = "";

function show(name) {
  for (const part of parts) part.hidden = part.dataset.part !== name;
  again.hidden = name !== "away" && name !== "busy";
  instead.hidden = name === "opening";
  asks.hidden = name !== "inactive";
}

function take() {
  token = location.hash.slice(1);
  asks.querySelector("[data-token]").value = token; // posted by who asks for a new one with it
  history.replaceState(null, "", location.pathname);
}

async function open() {
  if (!token) return show("lost");
  show("opening");
  let answer = null;
  try {
    const headers = { "Content-Type": "application/json" };
    answer = await fetch("/api/v1/links/open", { method: "POST", headers, body: JSON.stringify({ token }), cache: "no-store" });
    if (answer.ok) {
      const { appointment } = await answer.json();
      location.replace(`/appointments/${encodeURIComponent(appointment)}/live`);
      return;
    }
  } catch {
    answer = null; // the network is away
  }
  if (answer && GONE.includes(answer.status)) show("inactive");
  else show(answer?.status === 429 ? "busy" : "away");
}

again.addEventListener("click", open);
addEventListener("hashchange", () => {
  if (location.hash.length < 20) return; // "Help" and the like
  take();
  open();
});
if (location.hash === "#main" || location.hash === "#help") show("lost");
else {
  take();
  open();
}
