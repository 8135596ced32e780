// An OpenID provider with its own sign-in and consent: whoever types a name is that person.
// Arguments: the client's id, its secret, where it is led back to. The first line tells the issuer.
import { generateKeyPairSync } from 'node:crypto'
import http from 'node:http'
import Provider from 'oidc-provider'

const [clientId, secret, back] = process.argv.slice(2)
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const key = { ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256', kid: 'one' }

const server = http.createServer()
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://localhost:${server.address().port}`
  const provider = new Provider(issuer, {
    clients: [{
      client_id: clientId,
      client_secret: secret,
      redirect_uris: [back],
      application_type: 'native',
      token_endpoint_auth_method: 'client_secret_basic',
    }],
    jwks: { keys: [key] },
    cookies: { keys: ['only for tests'] },
    pkce: { required: () => true },
    claims: { openid: ['sub'], profile: ['preferred_username', 'groups'] },
    conformIdTokenClaims: false,
    findAccount: (context, id) => ({
      accountId: id,
      claims: () => ({ sub: id, preferred_username: id, groups: ['staff'] }),
    }),
  })
  // Its pages would fetch their letters from elsewhere.
  provider.use(async (context, next) => {
    await next()
    if (typeof context.body === 'string') context.body = context.body.replace(/@import url\([^)]*\);/g, '')
  })
  server.on('request', provider.callback())
  console.log(issuer)
})
