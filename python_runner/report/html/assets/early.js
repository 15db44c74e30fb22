// Before anything is drawn, so that a page that was dark once does not flash white.
(function () {
  "use strict";
  document.documentElement.className = "scripted";
  try {
    var kept = window.localStorage.getItem("polystack-theme");
    if (kept === "dark" || kept === "light") document.documentElement.dataset.theme = kept;
  } catch (error) {
    // Without storage (file:// in some browsers), the system's preference holds.
  }
})();
