// Fetches what the calendar shows, and asks every few seconds whether it has changed. Hidden tabs ask nothing.
(() => {
  const camerino = (window.camerino ??= {});
  const EVERY = 4000;
  const SLOWEST = 60000;
  // Hours and absences are not in the tag: they are read anew now and then.
  const STALE = 5 * 60000;

  // `address()` is asked anew each time; `read(response)` makes of an answer what `show` gets.
  camerino.feed = ({ address, read, show, trouble }) => {
    let tag = "";
    let shown = "";
    let at = 0;
    let wait = EVERY;
    let timer = 0;
    let held = 0;
    let turn = 0;
    let over = false;
    let troubled = false;

    const ask = async (byHand) => {
      const url = address();
      const headers = byHand ? {} : { "X-Camerino-Poll": "1" };
      if (tag && url === shown && !byHand && Date.now() - at < STALE) headers["If-None-Match"] = tag;
      const mine = ++turn;
      const response = await fetch(url, { headers, credentials: "same-origin", cache: "no-store" });
      if (response.status === 401 || response.redirected) {
        over = true;
        trouble("signedOut");
        return;
      }
      if (!response.ok && response.status !== 304) throw new Error(String(response.status));
      if (troubled) trouble("");
      troubled = false;
      if (response.status === 304) return;
      const found = await read(response);
      // A newer question is under way, or somebody is just dragging: this picture would come too late.
      if (mine !== turn || (held && !byHand)) return;
      tag = response.headers.get("ETag") || "";
      shown = url;
      at = Date.now();
      show(found);
    };

    const again = async (byHand = false) => {
      clearTimeout(timer);
      try {
        await ask(byHand);
        wait = EVERY;
      } catch {
        troubled = true;
        wait = Math.min(wait * 2, SLOWEST);
        trouble("failed");
      }
      clearTimeout(timer);
      if (!over && !document.hidden) timer = setTimeout(turnOfPoll, wait);
    };

    const turnOfPoll = () => {
      if (held) timer = setTimeout(turnOfPoll, EVERY);
      else again();
    };

    // A touch that the browser took for something else ends without a drop.
    window.addEventListener("pointercancel", () => { held = 0; });
    document.addEventListener("visibilitychange", () => {
      clearTimeout(timer);
      if (!document.hidden && !over) again();
    });

    return {
      // Asked for by a person: counts as use of the session.
      load: () => again(true),
      // While a hand is on the calendar nothing may move under it.
      hold: () => { held += 1; },
      release: () => { held = Math.max(0, held - 1); },
    };
  };
})();
