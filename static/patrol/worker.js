/* The offline worker: a page of rules. EDITION and SHELL stand above, written by the server.
   - the shell (page, modules, scanner) comes from the phone, whole edition or none
   - a plate opened without signal leads into the app
   - signing out waits until nothing waits
   - everything else goes to the network untouched: data is the app's matter, not ours */
"use strict";

const CACHE = `patrol-${EDITION}`;
const PAGE = "/patrol/";
const kept = new Set(SHELL);

self.addEventListener("install", (event) => {
  event.waitUntil((async () => {
    const cache = await caches.open(CACHE);
    await Promise.all(SHELL.map(async (address) => {
      const answer = await fetch(address, { cache: "reload", credentials: "same-origin", redirect: "error" });
      // A portal's page must never become our shell.
      if (!answer.ok || (address === PAGE && !(await answer.clone().text()).includes(EDITION))) {
        throw new Error(`${address} answered ${answer.status}`);
      }
      await cache.put(address, answer);
    }));
    // First time: at once. Later: when the page says so, or when no page of the old edition is open.
    if (!self.registration.active) await self.skipWaiting();
  })());
});

self.addEventListener("activate", (event) => {
  event.waitUntil((async () => {
    for (const name of await caches.keys()) {
      if (name.startsWith("patrol-") && name !== CACHE) await caches.delete(name);
    }
    await self.clients.claim();
  })());
});

self.addEventListener("message", (event) => {
  if (event.data === "take-over") self.skipWaiting();
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (url.origin !== self.location.origin) return;
  if (request.method === "GET" && (kept.has(url.pathname) && (url.pathname === PAGE || !url.search))) {
    event.respondWith(fromShell(url.pathname, request));
  } else if (request.mode === "navigate" && request.method === "GET" && /^\/c\/[^/]+$/i.test(url.pathname)) {
    event.respondWith(fetch(request).catch(() => Response.redirect(`${PAGE}#/plate/${url.pathname.slice(3)}`, 302)));
  } else if (request.method === "POST" && url.pathname === "/sign-out") {
    event.respondWith(signOut(request));
  }
});

async function fromShell(path, request) {
  const found = await (await caches.open(CACHE)).match(path);
  return found || fetch(request);
}

/** Items are bound to their person: whoever leaves with a full outbox would leave them behind. */
async function signOut(request) {
  const waits = await count().catch(() => 0);
  return waits ? Response.redirect(`${PAGE}#/queue/sign-out`, 303) : fetch(request);
}

function count() {
  return new Promise((resolve, reject) => {
    const asked = indexedDB.open("roadchief-patrol");
    asked.onupgradeneeded = () => { asked.transaction.abort(); };
    asked.onerror = () => reject(asked.error);
    asked.onsuccess = () => {
      const db = asked.result;
      const counting = db.transaction("items", "readonly").objectStore("items").count();
      counting.onsuccess = () => { db.close(); resolve(counting.result); };
      counting.onerror = () => { db.close(); reject(counting.error); };
    };
  });
}
