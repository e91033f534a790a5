// What pages do beyond links and forms: plots are drawn, and what is live stands still while read.
"use strict";

// Filters are sent without the fields that are left empty: addresses stay short.
document.addEventListener("htmx:configRequest", (event) => {
  for (const [name, value] of Object.entries(event.detail.parameters)) {
    if (value === "") delete event.detail.parameters[name];
  }
});

// Whoever was signed out meanwhile is shown where to sign in, not a page within a page.
document.addEventListener("htmx:beforeSwap", (event) => {
  const answered = new URL(event.detail.xhr.responseURL || location.href, location.href);
  if (answered.pathname === "/login") location.assign(answered.href);
});

const draw = () => window.digestbotPlots?.(document);
document.addEventListener("DOMContentLoaded", draw);
document.addEventListener("htmx:afterSettle", draw);

// Of what refreshes itself, only that its state changed is read aloud: not its figures.
document.addEventListener("htmx:afterSettle", () => {
  const said = document.getElementById("live")?.dataset.said;
  const told = document.getElementById("told");
  if (told && said && told.textContent !== said) told.textContent = said;
});

// What refreshes itself stands still while somebody writes in it, or reads its numbers.
const isBusy = (part) =>
  part.matches(":has(textarea:focus, select:focus, .plot details[open])") ||
  [...part.querySelectorAll("textarea")].some((one) => one.value);
document.addEventListener("htmx:beforeRequest", (event) => {
  const part = event.detail.elt;
  if (part.matches("#live, #burndown") && isBusy(part)) event.preventDefault();
});
