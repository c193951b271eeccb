// A visit was dropped: ask the service, say what came of it, offer the way back for ten seconds.
(() => {
  const camerino = (window.camerino ??= {});
  const { make } = camerino;
  const UNDO_SECONDS = 10;

  camerino.toast = (box, texts) => {
    let timer = 0;
    const hide = () => box.replaceChildren();
    const show = (said, { undo = null, seconds = 6 } = {}) => {
      clearTimeout(timer);
      const note = make("div", "calendar-said", make("span", "", said));
      if (undo) {
        const button = make("button", "calendar-undo", texts.back);
        const left = make("span", "calendar-left", String(seconds));
        left.setAttribute("aria-hidden", "true");
        button.type = "button";
        button.append(" ", left);
        button.addEventListener("click", () => {
          clearInterval(timer);
          hide();
          undo();
        });
        note.append(button);
        let rest = seconds;
        clearInterval(timer);
        timer = setInterval(() => {
          rest -= 1;
          left.textContent = String(rest);
          if (rest <= 0) {
            clearInterval(timer);
            hide();
          }
        }, 1000);
      } else {
        timer = setTimeout(hide, seconds * 1000);
      }
      box.replaceChildren(note);
    };
    return { show, hide };
  };

  camerino.moves = ({ setup, dialog, toast, feed, settled }) => {
    const { texts, urls } = setup;
    const token = () => document.querySelector("[name=csrfmiddlewaretoken]").value;

    const post = async (url, data) => {
      const response = await fetch(url, {
        method: "POST", body: data, credentials: "same-origin", headers: { "X-CSRFToken": token() },
      });
      if (response.status === 401 || response.redirected) {
        window.location.reload();
        throw new Error("signed out");
      }
      if (!response.ok) throw new Error(String(response.status));
      const json = response.headers.get("Content-Type").startsWith("application/json");
      return json ? { done: await response.json() } : { refused: await response.text() };
    };

    const took = async (answer) => {
      dialog.close();
      toast.show(answer.said, answer.back ? { undo: () => takeBack(answer), seconds: UNDO_SECONDS } : {});
      await feed.load();
      settled(answer.id);
    };

    const ask = (html) => {
      // Our own template, rendered by our own server.
      const page = new DOMParser().parseFromString(html, "text/html");
      dialog.replaceChildren(page.getElementById("calendar-refused"));
      if (!dialog.open) dialog.showModal();
      dialog.querySelector("h2").focus();
    };

    const send = async (url, data) => {
      feed.hold();
      try {
        const answer = await post(url, data);
        if (answer.done) await took(answer.done);
        else ask(answer.refused);
        return Boolean(answer.done);
      } catch {
        toast.show(texts.moveFailed);
        return false;
      } finally {
        feed.release();
      }
    };

    const takeBack = (answer) => {
      const data = new FormData();
      data.set("version", answer.version);
      return send(answer.back, data);
    };

    // `change` says by how many minutes it was shifted or lengthened, and whose or which column it fell into.
    const dropped = async (visit, change, revert) => {
      const data = new FormData();
      data.set("version", visit.version);
      if (change.shift) data.set("start", camerino.plus(visit.start, change.shift));
      if (change.longer) data.set("end", camerino.plus(visit.start, visit.minutes + change.longer));
      if (change.practitioner) data.set("practitioner", change.practitioner);
      if (change.room) data.set("room", change.room);
      if (!(await send(urls.move.replace("/0/", `/${visit.id}/`), data))) {
        revert();
        // Perhaps somebody else has moved it: show where it is.
        feed.load();
      }
    };

    dialog.addEventListener("submit", (event) => {
      event.preventDefault();
      send(event.target.action, new FormData(event.target, event.submitter));
    });
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog || event.target.closest("[data-dialog-close]")) dialog.close();
    });

    return { dropped };
  };
})();
