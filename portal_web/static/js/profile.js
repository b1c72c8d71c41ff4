// The first time, the time zone that this device uses is proposed; nothing is saved before the person does.

const zones = document.querySelector("[data-suggest]");

if (zones) {
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const named = (option) => option.value === own || option.dataset.former?.split(" ").includes(own); // browsers say Asia/Calcutta
  const found = [...zones.options].find(named);
  if (found) zones.value = found.value;
}
document.querySelector(".errsum")?.focus();
