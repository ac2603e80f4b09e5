// Elements, and nothing but elements: text that comes from outside only ever becomes text.

const SVG = 'http://www.w3.org/2000/svg';

/** An element. Properties that are functions are listeners (onclick), null and false leave an attribute out. */
export function el(tag, properties, ...children) {
    return fill(document.createElement(tag), properties, children);
}

export function svg(tag, properties, ...children) {
    return fill(document.createElementNS(SVG, tag), properties, children);
}

function fill(node, properties, children) {
    for (const [name, value] of Object.entries(properties ?? {})) {
        if (value === null || value === undefined || value === false) continue;
        if (typeof value === 'function') node.addEventListener(name.slice(2), value);
        else if (name === 'dataset') Object.assign(node.dataset, value);
        else node.setAttribute(name, value === true ? '' : value);
    }
    node.append(...children.flat().filter(child => child !== null && child !== undefined && child !== false));
    return node;
}

/** Writes only what changes, so that selections live and screen readers stay quiet. */
export function setText(node, text) {
    text = text === null || text === undefined ? '' : String(text);
    if (node.textContent !== text) node.textContent = text;
}

export function setAttribute(node, name, value) {
    if (value === null || value === undefined || value === false) node.removeAttribute(name);
    else if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value);
}

export function show(node, visible) {
    if (node.hidden === visible) node.hidden = !visible;
}

/**
 * Children of a parent, one an item, kept by key: an item that stays keeps its element, its focus and its open details.
 * `make(item)` gives `{ node, update(item) }`.
 */
export function keyed(parent, make) {
    let kept = new Map();
    return (items, keyOf) => {
        const next = new Map();
        let at = parent.firstChild;
        for (const item of items) {
            const key = keyOf(item);
            if (next.has(key)) continue;
            const child = kept.get(key) ?? make(item);
            child.update(item);
            next.set(key, child);
            if (child.node === at) at = at.nextSibling;
            else parent.insertBefore(child.node, at);
        }
        for (const [key, child] of kept) {
            if (next.has(key)) continue;
            child.close?.();
            child.node.remove();
        }
        kept = next;
    };
}

/** At most one run each `milliseconds`, and one at a time; a call meanwhile runs once more afterwards. */
export function atMostEach(milliseconds, work) {
    let timer = null,
        running = false,
        again = false,
        last = -Infinity,
        closed = false;
    const run = async () => {
        timer = null;
        running = true;
        last = performance.now();
        try {
            await work();
        } finally {
            running = false;
            if (again) {
                again = false;
                ask();
            }
        }
    };
    const ask = () => {
        if (closed || timer !== null) return;
        if (running) again = true;
        else timer = setTimeout(run, Math.max(0, last + milliseconds - performance.now()));
    };
    ask.close = () => {
        closed = true;
        clearTimeout(timer);
    };
    return ask;
}
