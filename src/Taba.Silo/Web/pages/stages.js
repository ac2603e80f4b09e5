// The stages of a sweep, each with its parts as a strip and the reason why it waits.

import { ask } from './api.js';
import { atMostEach, el, keyed, setText, show } from './dom.js';
import { pager, problem } from './pieces.js';
import { legend, partStrip } from './strip.js';
import * as words from './words.js';

const PAGE = 20,
    BINS = 96;

export function stageList(sweep) {
    let from = 0,
        newest = null;
    const list = el('ol', { class: 'stages' });
    const fill = keyed(list, () => stageItem(sweep));
    const trouble = problem();
    const pages = pager(PAGE, start => {
        from = start;
        load();
    });
    const load = atMostEach(2_000, async () => {
        try {
            draw(
                from === 0 && newest
                    ? newest
                    : await ask(
                          `api/sweeps/${encodeURIComponent(sweep)}/stages?from=${from}&count=${PAGE}&bins=${BINS}`,
                      ),
            );
            trouble.clear();
        } catch (error) {
            trouble.say(error);
        }
    });

    function draw(page) {
        fill(page.entries, stage => stage.key);
        pages.update(page.total, page.from);
    }

    return {
        node: el(
            'section',
            { 'aria-labelledby': 'stages-title' },
            el('div', { class: 'section-head' }, el('h2', { id: 'stages-title', tabindex: -1 }, 'Stages'), legend()),
            trouble.node,
            list,
            pages.node,
        ),
        told(page) {
            newest = page;
            if (from === 0) draw(page);
            else load();
        },
        close: () => load.close(),
    };
}

function stageItem(sweep) {
    const name = el('h3');
    const rows = el('span', { class: 'rows' });
    const why = el('p', { class: 'why' });
    const hosts = el('ul', { class: 'hosts' });
    const fillHosts = keyed(hosts, hostTrouble);
    const strip = partStrip(sweep);
    const node = el('li', { class: 'stage' }, name, rows, el('div', { class: 'stage-parts' }, strip.node, why, hosts));
    return {
        node,
        close: strip.close,
        update(s) {
            node.dataset.state = s.state;
            setText(name, s.name);
            name.title = `${s.key}${s.model ? `, model ${s.model}` : ''}`;
            const also = [
                s.rowsReused ? `${words.count(s.rowsReused)} reused` : null,
                s.rowsFailed ? `${words.count(s.rowsFailed)} given up` : null,
                s.partsLeased ? `${words.things(s.partsLeased, 'part')} out` : null,
            ].filter(Boolean);
            setText(
                rows,
                `${words.count(s.rowsDone)} of ${words.things(s.rowsWanted, 'row')}${also.map(text => `, ${text}`).join('')}`,
            );
            strip.update(s);
            const reason = s.waits?.text ?? (s.state === 'silent' ? 'the stage does not answer' : '');
            setText(why, words.sentence(reason));
            show(why, reason !== '');

            const troubles = [
                ...(s.pauses ?? []).map(p => ({ who: `host ${p.host}`, text: pauseText(p), reason: p.reason })),
                ...(s.refusals ?? []).map(r => ({
                    who: `silo ${r.silo}`,
                    text: `silo ${r.silo} does not work on it`,
                    reason: r.reason,
                })),
            ];
            fillHosts(troubles, trouble => trouble.who);
            show(hosts, troubles.length > 0);
        },
    };
}

function pauseText({ host, failures, secondsLeft }) {
    const often = failures === 1 ? 'failed' : `failed ${failures} times in a row`;
    const then =
        secondsLeft === null
            ? 'is asked again when the sweep is submitted again'
            : secondsLeft > 0
              ? `is asked again in ${words.duration(secondsLeft)}`
              : 'is asked again now';
    return `host ${host} ${often} and ${then}`;
}

/** What keeps a host from a stage. The sweep's own troubles, at the top of the page, have the reasons open. */
function hostTrouble() {
    const summary = el('summary');
    const reason = el('p', { class: 'soft' });
    return {
        node: el('li', null, el('details', null, summary, reason)),
        update(trouble) {
            setText(summary, words.sentence(trouble.text));
            setText(reason, words.sentence(trouble.reason));
        },
    };
}
