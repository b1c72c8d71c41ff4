// Pages with a password: shows and hides it, and brings the reader to what went wrong.

const button = document.querySelector("[data-show]");

if (button) {
  const field = document.getElementById(button.getAttribute("aria-controls"));
  button.hidden = false;
  button.addEventListener("click", () => {
    const shown = field.type === "password";
    field.type = shown ? "text" : "password";
    button.setAttribute("aria-pressed", String(shown));
    button.textContent = shown ? "Hide" : "Show";
  });
  field.form.addEventListener("submit", () => {
    field.type = "password"; // so that no browser keeps it among ordinary texts
  });
}
document.querySelector(".errsum")?.focus();
