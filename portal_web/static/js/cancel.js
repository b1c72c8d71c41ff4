// The question before a cancellation: as a dialog over the page where the link stands, made of the page that the link leads to.
import { busy, calmAgain, count, suggest } from "./field.js";

function dress(root) {
  count(root);
  suggest(root);
  root.querySelector("form")?.addEventListener("submit", (event) => {
    if (!busy(event.submitter)) event.preventDefault();
  });
}

async function ask(link) {
  const answer = await fetch(link.href, { headers: { Accept: "text/html" } });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const question = page.querySelector("[data-cancel-form]");
  if (!question) throw new Error("it cannot be canceled now: the page says why");
  const dialog = document.createElement("dialog");
  dialog.className = "dialog";
  dialog.setAttribute("aria-labelledby", "ch");
  dialog.setAttribute("aria-describedby", "cd");
  dialog.append(...document.adoptNode(question).children);
  dialog.querySelector("[data-keep]").addEventListener("click", (event) => {
    event.preventDefault();
    dialog.close();
  });
  dialog.addEventListener("close", () => {
    dialog.remove();
    link.focus();
  });
  document.body.append(dialog);
  dress(dialog);
  dialog.showModal();
  dialog.querySelector("#ch").focus();
}

addEventListener("click", (event) => {
  const link = event.target.closest?.("a[data-cancel]");
  if (!link || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  ask(link).catch(() => location.assign(link.href));
});
const own = document.querySelector("main [data-cancel-form]");
if (own) dress(own);
calmAgain();
document.querySelector(".errsum")?.focus();
