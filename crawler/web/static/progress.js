// A page that waits for something shows its progress without losing the reader's place. Without it, the page reloads.
"use strict";
(() => {
  const PAUSE = 2000;
  const show = async () => {
    try {
      const answer = await fetch(location.href, { headers: { "cache-control": "no-cache" } });
      const found = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("progress");
      if (!answer.ok || !found) {
        location.replace(location.href); // a page that answered a form is not sent again
        return;
      }
      document.getElementById("progress").replaceChildren(...found.childNodes);
    } catch {
      // The server may be back at the next look.
    }
    setTimeout(show, PAUSE);
  };
  setTimeout(show, PAUSE);
})();
