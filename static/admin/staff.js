// Every scrolling region of a page gets a name of its own; the library calls them all alike.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const names = [
    ["#nav-sidebar-apps", "Navigation"],
    ["#changelist-form [data-simplebar]", "Results"],
    ["#changelist-filter [data-simplebar]", "Filters"],
  ];
  names.forEach(([where, name]) =>
    document.querySelectorAll(where).forEach((one) => one.setAttribute("data-simplebar-aria-label", name)),
  );
  document.querySelectorAll("[data-simplebar]:not([data-simplebar-aria-label])").forEach((one, index) => {
    const heading = one.closest("[id]");
    one.setAttribute("data-simplebar-aria-label", `Scrolling part ${heading ? heading.id : ""} ${index + 1}`);
  });
});
