// Small helps for text fields: how many characters there are, common texts to fill in, one press of a button only.

/** Keeps "14 of 1000" under its field. */
export function count(root) {
  for (const counter of root.querySelectorAll("[data-counter]")) {
    const field = root.querySelector(`#${counter.dataset.counter}`);
    const show = () => {
      counter.textContent = `${field.value.length} of ${field.maxLength}`;
    };
    field.addEventListener("input", show);
    show();
  }
}

/** Buttons that fill their text into a field. */
export function suggest(root) {
  for (const group of root.querySelectorAll("[data-fills]")) {
    const field = root.querySelector(`#${group.dataset.fills}`);
    group.hidden = false;
    group.addEventListener("click", ({ target }) => {
      const button = target.closest("button");
      if (!button) return;
      field.value = button.textContent;
      field.dispatchEvent(new Event("input", { bubbles: true }));
      field.focus();
    });
  }
}

/** Shows that a button is at work and lets no second press through. True: this is the first one. */
export function busy(button) {
  if (!button?.dataset.busy) return true;
  if (button.getAttribute("aria-busy") === "true") return false;
  button.setAttribute("aria-busy", "true");
  return true;
}

/** Pages that come back out of the browser's memory are as they were before the press. */
export function calmAgain() {
  addEventListener("pageshow", (event) => {
    if (event.persisted) for (const button of document.querySelectorAll("button[aria-busy]")) button.removeAttribute("aria-busy");
  });
}
