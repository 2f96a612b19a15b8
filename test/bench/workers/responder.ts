/** Responds as the database API does, from recorded responses. */
interface Env {
  /** By function; for `check_out_key` by chain family. */
  readonly ANSWERS: string;
  readonly JWKS: string;
}

let answers: Record<string, string> | undefined;

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    answers ??= JSON.parse(env.ANSWERS) as Record<string, string>;
    const name = request.url.slice(request.url.lastIndexOf('/') + 1);
    if (name === 'jwks.json')
      return new Response(env.JWKS, { headers: { 'content-type': 'application/json' } });
    const body = await request.text();
    const key = name === 'check_out_key' ? `${name} ${body.includes('"solana.') ? 'solana' : 'evm'}` : name;
    const answer = answers[key];
    return new Response(answer ?? `{"code": "PGRST202"}`, {
      status: answer === undefined ? 404 : 200,
      headers: { 'content-type': 'application/json; charset=utf-8' },
    });
  },
};
