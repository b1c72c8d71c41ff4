// Book and Modify without leaving the page: each button of the form asks the server as it would without script, and what the server
// answers replaces the parts of the page it changes. Text that was typed, the place on the page and the focus stay.
import { busy, calmAgain, count } from "./field.js";
import { Hold } from "./hold.js";
import { addOwnTimes } from "./ownzone.js";

const form = document.getElementById("booking");
const announce = document.getElementById("announce");
let asked = 0;

const hold = new Hold(form, (words) => {
  announce.textContent = words;
});

function parts(root) {
  return new Map([...root.querySelectorAll("[data-part]")].map((part) => [part.dataset.part, part]));
}

function wait(on) {
  for (const name of ["when", "summary"]) parts(form).get(name)?.setAttribute("aria-busy", String(on));
}

async function ask(button) {
  const mine = ++asked;
  wait(true);
  try {
    const body = new URLSearchParams(new FormData(form, button));
    const answer = await fetch(form.action, { method: "POST", body, headers: { Accept: "text/html" } });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (mine !== asked) return;
    const next = page.getElementById("booking");
    if (next) show(next, page.title, button);
    else if (answer.ok || [401, 403, 404].includes(answer.status)) location.assign(form.dataset.address);
    else complain("Something went wrong on our side. Nothing was changed. Try again.");
  } catch {
    if (mine === asked) complain("There is no connection. Nothing was changed. Try again in a moment.");
  }
  if (mine === asked) wait(false);
}

/** Says on the page and aloud that a press did nothing. */
function complain(words) {
  const news = parts(form).get("news");
  const notice = document.createElement("div");
  notice.className = "notice notice--danger";
  notice.id = "news";
  notice.tabIndex = -1;
  notice.setAttribute("role", "alert");
  notice.textContent = words;
  news.replaceChildren(notice);
  news.hidden = false;
  notice.focus();
}

function show(next, title, button) {
  const focused = document.activeElement?.id;
  const fresh = parts(next);
  for (const [name, old] of parts(form)) {
    const made = fresh.get(name);
    if (!made) continue;
    if (name === "details") old.hidden = made.hidden;
    else old.replaceWith(document.adoptNode(made));
  }
  form.dataset.address = next.dataset.address;
  history.replaceState(null, "", form.dataset.address);
  document.title = title;
  dress();
  const news = document.getElementById("news");
  if (news) news.focus();
  else if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  say(button);
}

function say(button) {
  const pressed = form.querySelector(".day[aria-pressed='true'] .sr");
  const held = form.querySelector("[data-held-words] strong");
  const book = form.querySelector("button[name='book'], button[name='save']");
  if (button.name === "to_at" && book) announce.textContent = [book.textContent, held?.textContent].filter(Boolean).join(". ");
  else if (button.name === "to_day" && pressed) announce.textContent = pressed.textContent;
  else announce.textContent = form.querySelector(".daystrip__month h3")?.textContent ?? "";
}

function dress() {
  addOwnTimes(document);
  hold.look();
  for (const plain of form.querySelectorAll("[data-plain]")) plain.hidden = true;
  const chosen = form.querySelector(".day[aria-pressed='true']");
  const strip = chosen?.parentElement;
  if (strip && strip.scrollWidth > strip.clientWidth) strip.scrollLeft = chosen.offsetLeft - strip.offsetLeft - 2 * chosen.offsetWidth;
}

form.addEventListener("submit", (event) => {
  const button = event.submitter;
  if (button?.getAttribute("aria-disabled") === "true") {
    event.preventDefault();
  } else if (button && ["book", "save"].includes(button.name)) {
    if (!busy(button)) event.preventDefault();
    else if (button.dataset.busy) queueMicrotask(() => (button.textContent = button.dataset.busy));
  } else if (button) {
    event.preventDefault();
    ask(button);
  }
});
form.addEventListener("change", ({ target }) => {
  if (target.type === "radio") ask(form.querySelector("button[name='show']"));
});

calmAgain();
count(document);
dress();
document.getElementById("news")?.focus();
