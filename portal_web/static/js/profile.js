// The first time, the time zone that this device uses is proposed; nothing is saved before the person does.

const zones = document.querySelector("[data-suggest]");

if (zones) {
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if ([...zones.options].some((option) => option.value === own)) zones.value = own;
}
document.querySelector(".errsum")?.focus();
