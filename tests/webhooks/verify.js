// Verifies one message as a receiver would, by the library of those who made the scheme. Told over stdin, as JSON:
//   {"secret": …, "headers": {…}, "body": …, "now": SECONDS}
// Prints {"verified": type of the message} or {"refused": why}.
'use strict';

const { Webhook } = require('standardwebhooks');

const told = JSON.parse(require('fs').readFileSync(0, 'utf8'));
// The tests choose the time.
Date.now = () => told.now * 1000;
const RealDate = Date;
global.Date = class extends RealDate {
    constructor(...given) {
        given.length ? super(...given) : super(told.now * 1000);
    }
    static now() {
        return told.now * 1000;
    }
};
try {
    const message = new Webhook(told.secret).verify(told.body, told.headers);
    console.log(JSON.stringify({ verified: message.type }));
} catch (error) {
    console.log(JSON.stringify({ refused: error.message }));
}
