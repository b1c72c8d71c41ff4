// The customer’s links for the family: copies an address.

const announce = document.getElementById("announce");

for (const button of document.querySelectorAll("[data-copy]")) {
  const field = document.getElementById(button.dataset.copy);
  field.addEventListener("focus", () => field.select());
  if (!navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(field.value);
      button.firstChild.textContent = "Copied";
      announce.textContent = "Link copied";
    } catch {
      field.select();
      announce.textContent = "Your browser does not allow copying. The address is selected.";
    }
  });
}
document.querySelector("[autofocus]")?.select();
