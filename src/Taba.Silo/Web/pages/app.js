// The frame around the pages: which page, whether signed in, and whether what is seen is live.

import { change, onSignedOut, session, withdraw } from './api.js';
import { devicesPage } from './devices.js';
import { el, setText, show } from './dom.js';
import { listen } from './live.js';
import { signInPage } from './session.js';
import { sweepPage } from './sweep.js';
import { sweepsPage } from './sweeps.js';
import { sentence, timeOfDay } from './words.js';

const main = document.getElementById('main');
const link = document.getElementById('link');
const notice = document.getElementById('notice');
const signOut = document.getElementById('sign-out');

const WORDS = {
    live: 'Live',
    waiting: 'Connecting',
    lost: 'Connection lost',
    gone: 'Server gone',
    resting: 'Paused while unseen',
    ended: 'Ended',
    'signed-out': 'Signed out',
};

let page = null,
    stop = null,
    signingIn = false,
    lastSeen = null,
    ending = null;

function tell({ state, reason }) {
    if (state === 'live') ending = null;
    if (state === 'gone' && ending?.final) state = 'ended';
    setText(link, WORDS[state]);
    link.dataset.state = state;
    document.body.dataset.link = state;
    if (state === 'ended') warn(ending.text);
    else if (state === 'gone')
        warn(
            `${lastSeen ? `What is below was so at ${timeOfDay(lastSeen)}. ` : ''}${sentence(reason)} It is asked again every few seconds.`,
        );
    else if (state !== 'lost') warn(null);
    if (state === 'live') lastSeen = new Date();
    if (state === 'signed-out') askForToken();
}

function warn(text) {
    setText(notice, text);
    show(notice, Boolean(text));
}

function leave() {
    stop?.();
    page?.close?.();
    stop = page = null;
}

/** The page that the fragment names; it is drawn at once and filled by its stream. */
function go() {
    if (signingIn) return;
    leave();
    const path = decodeURIComponent(location.hash.replace(/^#\/?/, ''));
    const [first, id] = path.split('/');
    page = first === 'sweep' && id ? sweepPage(id) : first === 'devices' ? devicesPage(id) : sweepsPage();
    for (const a of document.querySelectorAll('nav [data-page]')) {
        if (a.dataset.page === page.section) a.setAttribute('aria-current', 'page');
        else a.removeAttribute('aria-current');
    }
    title(page.title);
    page.onTitle = title;
    main.replaceChildren(page.node);
    window.scrollTo(0, 0);
    tell({ state: 'waiting' });
    const seen = Object.entries(page.on).map(([name, handle]) => [
        name,
        value => {
            lastSeen = new Date();
            if (ending === null) warn(null);
            handle(value);
        },
    ]);
    page.onGone = () => {
        stop?.();
        setText(link, '');
    };
    stop = listen(
        page.stream,
        {
            ...Object.fromEntries(seen),
            trouble: ({ error }) => warn(sentence(error)),
            ended: last => {
                ending = last;
                warn(last.text);
            },
        },
        tell,
    );
}

function title(text) {
    document.title = text ? `${text} · Taba` : 'Taba';
}

function askForToken(wrong) {
    if (signingIn) return;
    signingIn = true;
    leave();
    setText(link, WORDS['signed-out']);
    link.dataset.state = 'signed-out';
    show(signOut, false);
    title('Sign in');
    const form = signInPage(start, wrong);
    main.replaceChildren(form.node);
    form.focus();
}

/** A token in the address is used once and taken out of it, so that it stays in no history and no bookmark. */
async function tokenOfAddress() {
    const token = new URLSearchParams(location.hash.replace(/^#/, '')).get('token');
    if (!token) return null;
    history.replaceState(null, '', `${location.pathname}#/`);
    try {
        await change('api/session', { token });
        return null;
    } catch (error) {
        return error.status === 401 ? 'The token of the address is not the one of this cluster.' : error.message;
    }
}

async function start(wrong = null) {
    try {
        const is = await session();
        warn(null);
        setText(document.getElementById('cluster'), is.cluster ?? '');
        document.getElementById('cluster').title = `Taba ${is.version}`;
        show(signOut, is.tokenNeeded && is.signedIn);
        if (is.tokenNeeded && !is.signedIn) {
            askForToken(wrong);
        } else {
            signingIn = false;
            go();
        }
    } catch (error) {
        tell({ state: 'gone', reason: error.message });
        setTimeout(start, 2_000, wrong);
    }
}

signOut.addEventListener('click', async () => {
    await withdraw('api/session').catch(() => {});
    askForToken();
});
onSignedOut(() => askForToken());
window.addEventListener('hashchange', async () => {
    const wrong = await tokenOfAddress();
    if (wrong) askForToken(wrong);
    else if (signingIn) start();
    else {
        go();
        main.focus({ preventScroll: true });
    }
});
document.getElementById('skip').addEventListener('click', event => {
    event.preventDefault();
    main.focus();
});

tokenOfAddress().then(start);
