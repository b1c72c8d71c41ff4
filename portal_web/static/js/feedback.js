// Feedback on a visit: counts the comment's characters and lets one press through. Also for a form that comes with a new panel.
import { busy, calmAgain, count } from "./field.js";

function dress(form) {
  if (form.dataset.dressed) return;
  form.dataset.dressed = "yes";
  count(form);
}

for (const form of document.querySelectorAll("form[data-feedback]")) dress(form);
addEventListener("focusin", ({ target }) => {
  const form = target.closest?.("form[data-feedback]");
  if (form) dress(form);
});
addEventListener("submit", (event) => {
  if (event.target.matches("form[data-feedback]") && !busy(event.submitter)) event.preventDefault();
});
calmAgain();
document.querySelector(".errsum")?.focus();
