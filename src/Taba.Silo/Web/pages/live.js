// One stream of events a page. EventSource comes back by itself after a broken connection, but never after an answer other than 200
// (not signed in, still starting), and it cannot say which it was: so it is closed at any error, and the session is asked first.

import { session } from './api.js';

const FIRST_WAIT = 1_000,
    LONGEST_WAIT = 5_000;

/** A page that nobody sees costs the silo nothing after this long. */
const UNSEEN = 30_000;

/**
 * Listens to `url`. `handlers` are called with each event's value; `tell({ state, seconds })` with `live`, `lost`, `gone`, `resting` or
 * `signed-out`. Gives a function that ends it.
 */
export function listen(url, handlers, tell) {
    let source = null,
        timer = null,
        rest = null,
        wait = FIRST_WAIT,
        closed = false;

    const open = () => {
        if (source || closed) return;
        source = new EventSource(url);
        source.onopen = () => {
            wait = FIRST_WAIT;
            tell({ state: 'live' });
        };
        source.onerror = () => {
            drop();
            tell({ state: 'lost' });
            later(0);
        };
        for (const [name, handle] of Object.entries(handlers))
            source.addEventListener(name, event => handle(JSON.parse(event.data)));
    };

    const drop = () => {
        source?.close();
        source = null;
    };

    const later = milliseconds => {
        clearTimeout(timer);
        timer = setTimeout(heal, milliseconds);
    };

    async function heal() {
        let is;
        try {
            is = await session();
        } catch (error) {
            if (closed || source) return;
            tell({ state: 'gone', seconds: wait / 1000, reason: error.message });
            later(wait);
            wait = Math.min(2 * wait, LONGEST_WAIT);
            return;
        }
        if (closed || source) return;
        if (is.tokenNeeded && !is.signedIn) {
            tell({ state: 'signed-out' });
            return;
        }
        // The server lives but the stream failed: not at once again, or a stream that is refused is asked for without a pause.
        clearTimeout(timer);
        timer = setTimeout(open, wait);
        wait = Math.min(2 * wait, LONGEST_WAIT);
    }

    const seen = () => {
        clearTimeout(rest);
        if (document.hidden) {
            rest = setTimeout(() => {
                clearTimeout(timer);
                drop();
                tell({ state: 'resting' });
            }, UNSEEN);
        } else if (!source && !closed) {
            later(0);
        }
    };
    const nudge = () => source || later(0);

    document.addEventListener('visibilitychange', seen);
    window.addEventListener('online', nudge);
    open();
    return () => {
        closed = true;
        clearTimeout(timer);
        clearTimeout(rest);
        drop();
        document.removeEventListener('visibilitychange', seen);
        window.removeEventListener('online', nudge);
    };
}
