// Today: buttons act without leaving the page, what others do shows by itself, the walk-in opens beside the board.
(() => {
  const source = document.getElementById("today-setup");
  if (!source) return;
  const setup = JSON.parse(source.textContent);
  const { texts } = setup;
  const camerino = window.camerino;
  const find = (id) => document.getElementById(id);
  const board = find("today-board");
  const form = find("today-form");
  const note = find("today-note");
  const toast = camerino.toast(find("today-toast"), texts);

  // The board

  const count = () => {
    const since = (moment) => Math.max(0, Math.floor((Date.now() - new Date(moment)) / 60000));
    for (const mark of board.querySelectorAll("[data-since]")) mark.textContent = texts.minutes.replace("%s", since(mark.dataset.since));
    for (const mark of board.querySelectorAll("[data-late]")) mark.textContent = texts.late.replace("%s", since(mark.dataset.late));
  };

  // Which of the page's own foldings are open, and where the keyboard is: a board that is renewed keeps both.
  const place = () => {
    const focused = board.contains(document.activeElement) ? document.activeElement : null;
    return {
      open: new Map([...board.querySelectorAll("details[id]")].map((fold) => [fold.id, fold.open])),
      visit: focused?.closest(".today-visit")?.id,
      step: focused?.dataset.do,
      summary: focused?.matches("summary") ? focused.parentElement.id : "",
    };
  };
  const keep = ({ open, visit, step, summary }) => {
    for (const [id, was] of open) if (find(id)) find(id).open = was;
    const row = visit && find(visit);
    const focus = summary ? find(summary)?.querySelector("summary") : row?.querySelector(`[data-do="${step}"]`) || row?.querySelector(".today-step, a");
    focus?.focus({ preventScroll: true });
  };

  let acted = "";
  const tell = (said) => {
    const back = acted && find(`visit-${acted}`)?.querySelector("[data-do=take_back], [data-do=undo]");
    acted = "";
    if (!said) return;
    const address = back?.getAttribute("formaction");
    toast.show(said, back ? { undo: () => act(address, ""), seconds: 10 } : {});
  };

  const draw = (text) => {
    const before = place();
    const page = new DOMParser().parseFromString(text, "text/html");
    const lines = [...page.querySelectorAll("[data-said]")];
    const said = lines.map((line) => line.textContent).join(" ");
    lines.forEach((line) => line.remove());
    board.replaceChildren(...page.body.childNodes);
    keep(before);
    count();
    if (acted) find(`visit-${acted}`)?.classList.add("today-moved");
    tell(said);
  };

  const trouble = (name) => {
    if (name === "signedOut") {
      const link = camerino.make("a", "desk-link", texts.signIn);
      link.href = window.location.href;
      note.replaceChildren(texts.signedOut, " ", link);
    } else {
      note.textContent = name ? texts[name] || name : "";
    }
    note.hidden = !name;
  };

  const feed = camerino.feed({
    address: () => setup.board,
    read: (response) => response.text(),
    show: draw,
    trouble,
  });

  // Acting

  const act = async (address, visit) => {
    const data = new FormData(form);
    try {
      const response = await fetch(address, {
        method: "POST", body: data, credentials: "same-origin", headers: { "X-Dialog": "1" },
      });
      if (response.status === 401) {
        trouble("signedOut");
        return;
      }
      if (response.status === 204) {
        acted = visit;
        await feed.load();
        return;
      }
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      const refused = response.ok && page.querySelector("#record-action");
      // The visit is no longer what the board showed: the board is renewed, the dialog says why.
      await feed.load();
      if (refused) camerino.ask(refused, address);
      else trouble("moveFailed");
    } catch {
      trouble("moveFailed");
    }
  };

  form.addEventListener("submit", async (event) => {
    const button = event.submitter;
    event.preventDefault();
    if (!button?.formAction) return;
    const row = button.closest(".today-visit");
    for (const other of row.querySelectorAll("button")) other.disabled = true;
    // A disabled button loses the focus; the row keeps it.
    button.closest("details.today-more")?.removeAttribute("open");
    row.querySelector("a")?.focus({ preventScroll: true });
    await act(button.getAttribute("formaction"), row.id.replace("visit-", ""));
    for (const other of row.querySelectorAll("button")) other.disabled = false;
  });

  // A dialog that has done its work leaves the page where it is.
  document.addEventListener("dialog:done", (event) => {
    event.preventDefault();
    if (panel.what?.kind === "visit") panel.open(panel.what);
    feed.load();
  });

  // Beside the board: the walk-in, a booking, a visit. Each is the page's own form.

  const dressBooking = (content) => {
    const link = content.querySelector("[data-new-patient]");
    link?.addEventListener("click", (event) => {
      event.preventDefault();
      panel.open({ kind: "patient", fills: true, title: texts.registerPatient, address: setup.patient }, { over: true });
    });
  };
  const dressVisit = (content) => {
    for (const link of content.querySelectorAll("#record-actions a[href]")) {
      const address = new URL(link.href);
      address.searchParams.set("next", setup.here);
      link.href = address;
    }
  };

  const panel = camerino.panel({
    panel: find("calendar-panel"),
    texts,
    ready: (content, what) => (what.kind === "visit" ? dressVisit(content) : dressBooking(content)),
    closed: () => {},
    done: async ({ kind, id, said, answer }, what, { close, under }) => {
      if (what.kind === "patient" && kind === "patient") {
        const name = ["family_name", "given_name"].map((field) => answer.querySelector(`[name=${field}]`)?.value || "").join(" ");
        const select = under().querySelector("select[name=patient]");
        select.append(new Option(name.trim(), id, true, true));
        window.django.jQuery(select).trigger("change");
        select.dispatchEvent(new Event("change", { bubbles: true }));
        return;
      }
      if (what.kind === "visit") await panel.open(what);
      else close();
      if (said) toast.show(said);
      feed.load();
    },
  });

  document.addEventListener("click", (event) => {
    for (const open of find("today").querySelectorAll(":is(.today-more, .today-print)[open]")) if (!open.contains(event.target)) open.open = false;
    const link = event.target.closest("a[data-panel], a[data-visit]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    const address = link.getAttribute("href");
    const title = link.textContent.trim();
    if (link.dataset.visit) panel.open({ kind: "visit", title, address, page: address }, { from: link });
    else panel.open({ kind: "booking", fills: true, title: link.dataset.title, address }, { from: link });
  });
  board.addEventListener("keydown", (event) => {
    const menu = event.target.closest(".today-more[open]");
    if (event.key !== "Escape" || !menu) return;
    event.preventDefault();
    menu.open = false;
    menu.querySelector("summary").focus();
  });
  find("today-where").addEventListener("change", (event) => event.currentTarget.submit());

  setInterval(count, 15000);
  feed.load();
})();
