// Samples that were given up, and why.

import { ask } from './api.js';
import { atMostEach, el, show } from './dom.js';
import { pager, problem } from './pieces.js';
import * as words from './words.js';

const PAGE = 20,
    RANGES = 12;

const TITLES = ['Sample', 'Stage', 'Step', 'Kind', 'Reason'];

export function failureList(sweep) {
    let from = 0,
        known = -1;
    const ranges = el('ul', { class: 'ranges' });
    const rows = el('tbody');
    const trouble = problem();
    const table = el(
        'div',
        { class: 'scroll' },
        el(
            'table',
            { class: 'stack' },
            el(
                'thead',
                null,
                el(
                    'tr',
                    null,
                    TITLES.map(title => el('th', { scope: 'col' }, title)),
                ),
            ),
            rows,
        ),
    );
    const pages = pager(PAGE, start => {
        from = start;
        load();
    });
    const node = el(
        'section',
        { class: 'card warn', 'aria-labelledby': 'failures-title', hidden: true },
        el('h2', { id: 'failures-title', tabindex: -1 }, 'Samples given up'),
        ranges,
        trouble.node,
        table,
        pages.node,
    );

    const load = atMostEach(2_000, async () => {
        try {
            draw(await ask(`api/sweeps/${encodeURIComponent(sweep)}/failures?from=${from}&count=${PAGE}`));
            trouble.clear();
        } catch (error) {
            trouble.say(error);
        }
    });

    function draw(page) {
        ranges.replaceChildren(
            ...page.ranges.map(r =>
                el(
                    'li',
                    null,
                    el('strong', null, words.things(r.count, 'sample')),
                    ` of ${r.stageName}, ${kindOf(r.kind)}: `,
                    r.rows.slice(0, RANGES).map(words.range).join(', ') + (r.rows.length > RANGES ? ' and more' : ''),
                ),
            ),
        );
        rows.replaceChildren(
            ...page.entries.map(f =>
                el(
                    'tr',
                    null,
                    [words.count(f.sample), f.stageName, f.step ?? '–', kindOf(f.kind), f.reason].map((text, at) =>
                        el('td', { class: at === 4 ? 'reason' : null, 'data-title': TITLES[at] }, String(text)),
                    ),
                ),
            ),
        );
        show(table, page.entries.length > 0);
        pages.update(page.total, page.from);
    }

    return {
        node,
        told(failed) {
            show(node, failed > 0);
            if (failed > 0 && failed !== known) load();
            known = failed;
        },
        close: () => load.close(),
    };
}

/** "notFinite" as words. */
const kindOf = kind => kind.replace(/[A-Z]/g, letter => ` ${letter.toLowerCase()}`);
