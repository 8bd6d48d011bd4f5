// Runs before the first paint: the theme that Airflow shows, and the reader's time zone for the server.
(() => {
  "use strict";
  const root = document.documentElement;

  function applyTheme() {
    let chosen = null;
    try {
      chosen = localStorage.getItem("theme"); // Airflow's own setting: light, dark or system
    } catch {
      // No storage: the system's setting holds.
    }
    if (chosen === "light" || chosen === "dark") root.dataset.theme = chosen;
    else delete root.dataset.theme;
  }
  applyTheme();
  addEventListener("storage", (event) => {
    if (event.key !== "theme" && event.key !== null) return;
    applyTheme();
    dispatchEvent(new Event("footfall:theme"));
  });

  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const cookie = `footfall_zone=${zone}`;
  const isKnown = () => document.cookie.split("; ").includes(cookie);
  if (zone && !isKnown()) {
    document.cookie = `${cookie}; path=${root.dataset.prefix || "/"}; samesite=strict; max-age=31536000`;
    if (isKnown()) location.reload(); // once: where cookies are off, times stay in UTC
  }
})();
