// Asking the silo. An answer is a value or an error with one sentence; 401 is told to the session as well.

const PATIENCE = 20_000;
const signedOut = [];

export class AskError extends Error {
    constructor(status, message) {
        super(message);
        this.status = status;
    }
}

export const onSignedOut = listener => signedOut.push(listener);

export const ask = path => call('GET', path);

export const change = (path, body) => call('POST', path, body);

export const withdraw = path => call('DELETE', path);

/** What can be seen of the server without a token. */
export const session = () => call('GET', 'api/session');

async function call(method, path, body) {
    let answer;
    try {
        answer = await fetch(path, {
            method,
            cache: 'no-store',
            signal: AbortSignal.timeout(PATIENCE),
            headers: body === undefined ? {} : { 'Content-Type': 'application/json' },
            body: body === undefined ? undefined : JSON.stringify(body),
        });
    } catch {
        throw new AskError(0, 'the server does not answer');
    }
    if (answer.status === 204) return null;
    const text = await answer.text().catch(() => '');
    if (!answer.ok) {
        const error = new AskError(answer.status, wordsOf(text) ?? `the server answered ${answer.status}`);
        if (answer.status === 401 && !path.startsWith('api/session')) signedOut.forEach(listener => listener());
        throw error;
    }
    try {
        return JSON.parse(text);
    } catch {
        throw new AskError(answer.status, 'the server answered with something that is not JSON');
    }
}

function wordsOf(text) {
    try {
        const { error } = JSON.parse(text);
        return typeof error === 'string' ? error : null;
    } catch {
        return null;
    }
}
