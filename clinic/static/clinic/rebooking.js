// The number beside "To rebook", asked for after the page is there: finding it out would make every page wait.
(() => {
  const show = (links, count) => {
    links.forEach((link) => {
      const badge = document.createElement("span");
      badge.className = "desk-count";
      badge.textContent = count;
      link.append(badge);
    });
  };

  document.addEventListener("DOMContentLoaded", async () => {
    const all = document.querySelectorAll('a[href$="/appointment/rebooking/"]');
    // Not those that only come back here.
    const links = [...all].filter((link) => !link.search);
    if (!links.length) return;
    // The browser keeps the answer for a minute; what was just done may have changed it.
    const stale = document.querySelector("[role=status]") || location.pathname.endsWith("/rebooking/");
    const response = await fetch(`${links[0].href}count/`, {
      credentials: "same-origin", cache: stale ? "reload" : "default",
    });
    if (!response.ok || response.redirected) return;
    const count = await response.text();
    if (count) show(links, count);
  });
})();
