// What happened to a sweep, the newest first.

import { ask } from './api.js';
import { atMostEach, el, setText, show } from './dom.js';
import * as words from './words.js';

const FEW = 8;

export function sweepLog(sweep) {
    let events = [],
        all = false;
    const list = el('ol', { class: 'log' });
    const more = el('button', {
        type: 'button',
        class: 'quiet',
        hidden: true,
        onclick: () => {
            all = !all;
            draw();
        },
    });
    const load = atMostEach(2_000, async () => {
        events = await ask(`api/sweeps/${encodeURIComponent(sweep)}/log`).catch(() => events);
        draw();
    });

    function draw() {
        list.replaceChildren(
            ...(all ? events : events.slice(0, FEW)).map(e =>
                el(
                    'li',
                    null,
                    el('time', { class: 'soft', datetime: e.at, title: words.exactly(e.at) }, words.moment(e.at)),
                    el(
                        'span',
                        null,
                        words.capital(e.text),
                        e.by && !e.text.includes(e.by) ? el('span', { class: 'soft' }, ` · ${e.by}`) : null,
                    ),
                ),
            ),
        );
        show(more, events.length > FEW);
        setText(more, all ? 'Show the newest only' : `Show all ${words.count(events.length)}`);
    }

    return {
        node: el(
            'section',
            { 'aria-labelledby': 'log-title' },
            el('h2', { id: 'log-title', tabindex: -1 }, 'Log'),
            list,
            more,
        ),
        load,
        close: () => load.close(),
    };
}
