// The account menu in the header opens without script; with it, Escape and a press elsewhere close it.

const menu = document.querySelector("[data-menu]");
const opener = menu.querySelector("summary");

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && menu.open) {
    menu.open = false;
    opener.focus();
  }
});
document.addEventListener("pointerdown", (event) => {
  if (!menu.contains(event.target)) menu.open = false;
});
menu.addEventListener("focusout", (event) => {
  if (event.relatedTarget && !menu.contains(event.relatedTarget)) menu.open = false;
});
