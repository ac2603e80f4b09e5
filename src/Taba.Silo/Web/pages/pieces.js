// What several pages are made of.

import { el, setAttribute, setText, show, svg } from './dom.js';
import * as words from './words.js';

/** Shapes as well as colours: a state can be told without either its word or its colour. */
const SHAPES = {
    running: 'M4 2.5v11l9-5.5z',
    paused: 'M4 3h3v10H4zM9 3h3v10H9z',
    completed: 'M2.5 8.5 6.5 12.5 13.5 4.5',
    warned: 'M8 2 15 14H1zM8 6.5v4M8 12.2v.1',
    faulted: 'M8 2 15 14H1zM8 6.5v4M8 12.2v.1',
    cancelled: 'M3.5 3.5l9 9M12.5 3.5l-9 9',
    stopped: 'M3.5 3.5h9v9h-9z',
};

export const stateOf = state => (state === 'completed with failures' ? 'warned' : state);

export function stateChip() {
    const path = svg('path', null);
    const word = el('span');
    const node = el(
        'span',
        { class: 'state' },
        svg('svg', { viewBox: '0 0 16 16', 'aria-hidden': 'true' }, path),
        word,
    );
    return {
        node,
        update(state) {
            const kind = stateOf(state);
            node.className = `state is-${kind}`;
            setAttribute(path, 'd', SHAPES[kind] ?? SHAPES.stopped);
            setText(word, state);
        },
    };
}

export function bar() {
    const inside = el('span');
    const node = el('span', { class: 'bar', role: 'progressbar', 'aria-valuemin': 0, 'aria-valuemax': 100 }, inside);
    return {
        node,
        update(done, planned, state, name) {
            const share = words.percent(done, planned);
            node.className = `bar is-${stateOf(state)}`;
            inside.style.width = `${planned > 0 ? Math.min(100, (100 * done) / planned) : 0}%`;
            setAttribute(node, 'aria-valuenow', share);
            setAttribute(node, 'aria-label', `Progress of ${name}`);
        },
    };
}

/** "submitted 3 min ago": it grows old by itself, and its title is exact. */
export function timeAgo() {
    const node = el('time', { class: 'soft ago' });
    return {
        node,
        update(iso, verb = '') {
            setAttribute(node, 'datetime', iso);
            setAttribute(node, 'title', iso && words.exactly(iso));
            node.dataset.verb = verb;
            age(node);
        },
    };
}

function age(node) {
    setText(node, node.dateTime ? `${node.dataset.verb} ${words.ago(node.dateTime)}`.trim() : '');
}

setInterval(() => document.querySelectorAll('time.ago').forEach(age), 15_000);

/** Steps through pages of a list; nothing where one page holds all. */
export function pager(size, turn) {
    let from = 0,
        total = 0;
    const where = el('span', { class: 'soft', 'aria-live': 'polite' });
    const step = by => () => turn(Math.max(0, from + by));
    const back = el('button', { type: 'button', onclick: step(-size) }, 'Previous');
    const on = el('button', { type: 'button', onclick: step(size) }, 'Next');
    const node = el('nav', { class: 'pager', 'aria-label': 'Pages of the list', hidden: true }, back, where, on);
    return {
        node,
        update(all, start) {
            total = all;
            from = start;
            show(node, total > size);
            setText(
                where,
                total === 0
                    ? ''
                    : `${words.count(from + 1)} to ${words.count(Math.min(total, from + size))} of ${words.count(total)}`,
            );
            back.disabled = from === 0;
            on.disabled = from + size >= total;
        },
    };
}

/** A place for the sentence of a request that failed. */
export function problem() {
    const node = el('p', { class: 'error', role: 'alert', hidden: true });
    return {
        node,
        say(error) {
            setText(node, words.sentence(error.message));
            show(node, true);
        },
        clear: () => show(node, false),
    };
}

/** Sentences in a marked card; hidden where there are none. */
export function troubleList(title) {
    const list = el('ul');
    const node = el('section', { class: 'card warn', 'aria-label': title, hidden: true }, el('h2', null, title), list);
    let last = '';
    return {
        node,
        update(sentences) {
            const now = JSON.stringify(sentences);
            if (now === last) return;
            last = now;
            show(node, sentences.length > 0);
            list.replaceChildren(...sentences.map(text => el('li', null, text)));
        },
    };
}

/** Asks before something is done that cannot be taken back at once. */
export function confirm({ title, text, yes, no }) {
    return new Promise(resolve => {
        const dialog = el(
            'dialog',
            {
                class: 'card',
                'aria-labelledby': 'confirm-title',
                onclose: () => {
                    dialog.remove();
                    resolve(dialog.returnValue === 'yes');
                },
            },
            el(
                'form',
                { method: 'dialog' },
                el('h2', { id: 'confirm-title' }, title),
                el('p', null, text),
                el(
                    'div',
                    { class: 'buttons' },
                    el('button', { value: 'no', autofocus: true }, no),
                    el('button', { value: 'yes', class: 'danger' }, yes),
                ),
            ),
        );
        document.body.append(dialog);
        dialog.showModal();
    });
}
