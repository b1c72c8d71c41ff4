// The confirmation pages: copies the booking's id, and says the time in the reader's own zone.
import { addOwnTimes } from "./ownzone.js";

const announce = document.getElementById("announce");
for (const button of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
      button.textContent = "Copied";
      announce.textContent = "Booking ID copied";
    } catch {
      announce.textContent = "Your browser does not allow copying";
    }
  });
}
addOwnTimes(document);
