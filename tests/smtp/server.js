// A mail server for the tests (tests/common/postman.rs): real SMTP, told over stdin how to behave, one JSON object a line:
//   {"mode": {…}}   how to behave from now on; {} is well (see `behave` below)
//   {"list": true}  answers {"mails": […]}: everything that was taken in, parsed
// It begins by saying {"ready": PORT}.
'use strict';

const fs = require('fs');
const path = require('path');
const readline = require('readline');
const { simpleParser } = require('mailparser');
const { SMTPServer } = require('smtp-server');

const options = JSON.parse(process.argv[2] || '{}');
const mails = [];
// greet: "hang"; rcpt, data: a status to refuse with; data also "hang", "drop" (without taking the mail in) and
// "take-and-drop" (taking it in without saying so). With only, an address, rcpt holds for that alone.
let mode = {};

const say = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);
const refusal = (status) => Object.assign(new Error(`told to say ${status} to anne@example.dk`), { responseCode: status });
const near = (name) => fs.readFileSync(path.join(__dirname, name));

const server = new SMTPServer({
    authOptional: !options.user,
    allowInsecureAuth: true,
    disabledCommands: [...(options.tls ? [] : ['STARTTLS']), ...(options.user ? [] : ['AUTH'])],
    disableReverseLookup: true,
    hideSMTPUTF8: false,
    key: near('key.pem'),
    cert: near('certificate.pem'),
    onAuth(auth, session, done) {
        const known = auth.username === options.user && auth.password === options.password;
        known ? done(null, { user: auth.username }) : done(refusal(535));
    },
    onConnect(session, done) {
        if (mode.greet !== 'hang') done();
    },
    onRcptTo(address, session, done) {
        mode.rcpt && (!mode.only || mode.only === address.address) ? done(refusal(mode.rcpt)) : done();
    },
    onData(stream, session, done) {
        const chunks = [];
        stream.on('data', (chunk) => chunks.push(chunk));
        stream.on('end', async () => {
            const raw = Buffer.concat(chunks);
            const cut = () => server.connections.forEach((c) => c.id === session.id && c._socket.destroy());
            if (mode.data === 'hang') return;
            if (mode.data === 'drop') return cut();
            if (mode.data && mode.data !== 'take-and-drop') return done(refusal(mode.data));
            const parsed = await simpleParser(raw);
            mails.push({
                from: session.envelope.mailFrom.address,
                to: session.envelope.rcptTo.map((r) => r.address),
                secure: session.secure,
                user: session.user || null,
                subject: parsed.subject,
                text: parsed.text,
                headers: Object.fromEntries(parsed.headerLines.map((h) => [h.key, h.line])),
                addressed: parsed.to.value,
                raw: raw.toString('latin1'),
            });
            if (mode.data === 'take-and-drop') return cut();
            done();
        });
    },
});
server.on('error', () => {});
server.listen(options.port || 0, '127.0.0.1', () => say({ ready: server.server.address().port }));

const lines = readline.createInterface({ input: process.stdin });
lines.on('line', (line) => {
    const told = JSON.parse(line);
    if (told.mode) mode = told.mode;
    say(told.list ? { mails } : { ok: true });
});
// The test is over, however it ended.
lines.on('close', () => process.exit(0));
