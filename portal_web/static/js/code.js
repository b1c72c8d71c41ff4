// Takes the code out of the link's fragment (which no server ever sees) into its field, and out of the address and the history.

const field = document.querySelector("[data-code]");
const said = decodeURIComponent(location.hash.slice(1));

if (/^[0-9A-Za-z -]{8,60}$/.test(said)) {
  field.value = said;
  history.replaceState(null, "", location.pathname);
  (document.querySelector("#e") ?? document.querySelector("#p")).focus();
}
