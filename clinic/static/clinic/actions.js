// Opens the page of a record action in a dialog. Without this script the same link is an ordinary page.
(() => {
  const part = "#record-action";

  const read = async (response) => {
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    return page.querySelector(part);
  };

  const dress = (dialog) => {
    const jquery = window.django && window.django.jQuery;
    if (!jquery || !jquery.fn.djangoAdminSelect2) return;
    // In a modal dialog the list of suggestions must lie inside it, or nobody can click it.
    dialog.querySelectorAll("select.admin-autocomplete").forEach((select) => {
      select.dataset.dropdownParent = `#${dialog.id}`;
    });
    jquery(dialog).find("select.admin-autocomplete").djangoAdminSelect2();
  };

  const show = (dialog, content, address) => {
    dialog.replaceChildren(content);
    content.querySelector("form").action = address;
    dress(dialog);
    if (!dialog.open) dialog.showModal();
    dialog.dispatchEvent(new Event("dialog:shown", { bubbles: true }));
    const first = content.querySelector("input:not([type=hidden]):not(.desk-hidden), select, textarea");
    if (first) first.focus();
  };

  const dialogFor = () => {
    let dialog = document.getElementById("record-dialog");
    if (!dialog) {
      dialog = document.createElement("dialog");
      dialog.id = "record-dialog";
      dialog.className = "desk-dialog";
      dialog.setAttribute("aria-labelledby", "record-action-title");
      document.body.append(dialog);
      dialog.addEventListener("submit", submit);
      dialog.addEventListener("click", (event) => {
        if (event.target === dialog || event.target.closest("[data-dialog-close]")) {
          event.preventDefault();
          dialog.close();
        }
      });
    }
    return dialog;
  };

  async function submit(event) {
    event.preventDefault();
    const form = event.target;
    const data = new FormData(form, event.submitter);
    const buttons = form.querySelectorAll("button");
    buttons.forEach((button) => { button.disabled = true; });
    try {
      const response = await fetch(form.action, {
        method: "POST", body: data, credentials: "same-origin", headers: { "X-Dialog": "1" },
      });
      if (response.status === 204) {
        const dialog = form.closest("dialog");
        // A page that renews itself says so by preventing what follows.
        if (!dialog.dispatchEvent(new CustomEvent("dialog:done", { bubbles: true, cancelable: true }))) {
          dialog.close();
          return;
        }
        const address = new URL(response.headers.get("X-Dialog"), window.location.href);
        const here = window.location;
        // The same address with another fragment would not load again.
        if (address.pathname + address.search === here.pathname + here.search) here.reload();
        else here.assign(address);
        return;
      }
      if (response.redirected) {
        window.location.assign(response.url);
        return;
      }
      const content = response.ok && (await read(response));
      if (content) show(form.closest("dialog"), content, form.action);
      else HTMLFormElement.prototype.submit.call(form);
    } catch {
      HTMLFormElement.prototype.submit.call(form);
    }
  }

  // For scripts that got the page of an action as an answer.
  (window.camerino ??= {}).ask = (content, address) => show(dialogFor(), content, address);

  document.addEventListener("click", async (event) => {
    const link = event.target.closest("a[data-dialog]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || typeof HTMLDialogElement === "undefined") return;
    event.preventDefault();
    try {
      const response = await fetch(link.href, { credentials: "same-origin" });
      const content = response.ok && !response.redirected && (await read(response));
      if (!content) throw new Error("no dialog");
      show(dialogFor(), content, link.href);
    } catch {
      window.location.assign(link.href);
    }
  });
})();
