// The OpenID provider that tests/oidc.rs signs in at: the real one (npm: oidc-provider), with people and claims that
// the test sets over /control, and ways to go wrong on purpose.
//
//   node provider.mjs REDIRECT_URI      prints one line of JSON: {"issuer":"http://127.0.0.1:PORT"}

import { generateKeyPairSync } from 'node:crypto';
import http from 'node:http';
import { Readable } from 'node:stream';

import { SignJWT, decodeJwt, importJWK } from 'jose';
import { Provider } from 'oidc-provider';

const redirect = process.argv[2];
// As JWK: key objects that are shared with the threads that sign can lock up Node 20.
const jwk = { format: 'jwk' };
const pair = () => generateKeyPairSync('rsa', { modulusLength: 2048, publicKeyEncoding: jwk, privateKeyEncoding: jwk });
const [key, foreign] = [pair(), pair()];

// What the test sets: who there is, and what goes wrong.
let control = { people: {}, mode: 'honest' };

const server = http.createServer((request, response) => answer(request, response));
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const issuer = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
  clients: [{
    client_id: 'begreb',
    client_secret: 'a secret of the test and of no one else',
    redirect_uris: [redirect],
    response_types: ['code'],
    grant_types: ['authorization_code'],
  }],
  jwks: { keys: [{ ...key.privateKey, kid: 'own', alg: 'RS256', use: 'sig' }] },
  cookies: { keys: ['of the test'] },
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name', 'org', 'realm_access', 'roles'] },
  scopes: ['openid', 'email', 'profile'],
  pkce: { required: () => true },
  ttl: { IdToken: 120, AccessToken: 120, AuthorizationCode: 60, Session: 600, Grant: 600, Interaction: 600 },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ ...control.people[id], sub: id }) }),
});

// Changes the ID token of an answer as the mode says.
provider.use(async (ctx, next) => {
  await next();
  if (ctx.path !== '/token' || !ctx.body?.id_token || control.mode === 'honest') return;
  const claims = decodeJwt(ctx.body.id_token);
  const sign = async (payload, by = key, kid = 'own') => new SignJWT(payload)
    .setProtectedHeader({ alg: 'RS256', kid, typ: 'JWT' }).sign(await importJWK(by.privateKey, 'RS256'));
  const unsigned = (payload) => `${Buffer.from('{"alg":"none"}').toString('base64url')}.${
    Buffer.from(JSON.stringify(payload)).toString('base64url')}.`;
  const tampered = {
    'other-key': () => sign(claims, foreign),
    'unknown-key': () => sign(claims, foreign, 'unknown'),
    'rotated': () => sign(claims, foreign, 'new'),
    'wrong-nonce': () => sign({ ...claims, nonce: 'of another sign-in' }),
    'no-nonce': () => sign({ ...claims, nonce: undefined }),
    'wrong-audience': () => sign({ ...claims, aud: 'another client' }),
    'wrong-issuer': () => sign({ ...claims, iss: 'https://login.example.dk' }),
    'expired': () => sign({ ...claims, exp: claims.iat - 3600 }),
    'from-the-future': () => sign({ ...claims, iat: claims.iat + 3600, exp: claims.exp + 7200 }),
    'unsigned': () => unsigned(claims),
    'by-secret': () => new SignJWT(claims).setProtectedHeader({ alg: 'HS256' })
      .sign(Buffer.from('a secret of the test and of no one else')),
    'no-token': () => undefined,
  }[control.mode];
  if (tampered) ctx.body = { ...ctx.body, id_token: await tampered() };
});

const honest = provider.callback();

async function answer(request, response) {
  if (request.url === '/control') {
    let text = '';
    for await (const part of request) text += part;
    control = { ...control, ...JSON.parse(text) };
    response.end();
    return;
  }
  const discovery = request.url.startsWith('/.well-known/');
  const info = request.url.startsWith('/me');
  if (control.mode === 'down' && discovery) {
    request.socket.destroy();
  } else if (control.mode === 'huge' && discovery) {
    response.writeHead(200, { 'content-type': 'application/json' });
    // Without end, for whoever goes on reading.
    const endless = function* () { yield '{"issuer":"'; for (;;) yield 'x'.repeat(65536); };
    Readable.from(endless()).on('error', () => {}).pipe(response);
  } else if (control.mode === 'slow' && discovery) {
    response.writeHead(200, { 'content-type': 'application/json' });
    const drip = setInterval(() => response.write(' '), 500);
    response.on('close', () => clearInterval(drip));
  } else if (control.mode === 'elsewhere' && discovery) {
    response.writeHead(302, { location: `${issuer}/elsewhere` }).end();
  } else if (control.mode === 'other-issuer' && discovery) {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({
      issuer: 'https://login.example.dk', authorization_endpoint: `${issuer}/auth`, jwks_uri: `${issuer}/jwks`,
      response_types_supported: ['code'], subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256'],
    }));
  } else if (control.mode === 'garbage' && discovery) {
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"issuer": [');
  } else if (control.mode === 'rotated' && request.url === '/jwks') {
    const keys = [{ ...foreign.publicKey, kid: 'new', alg: 'RS256', use: 'sig' }];
    response.writeHead(200, { 'content-type': 'application/jwk-set+json' }).end(JSON.stringify({ keys }));
  } else if (control.mode === 'no-info' && info) {
    response.writeHead(500).end();
  } else if (control.mode === 'foreign-info' && info) {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ sub: 'somebody else' }));
  } else {
    honest(request, response);
  }
}

// Ends when the test does.
process.stdin.on('end', () => process.exit(0)).resume();
console.log(JSON.stringify({ issuer }));
