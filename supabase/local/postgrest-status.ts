/** Where `@supabase/lite` answers with another status than PostgREST, which hosted projects run. */

const VIOLATED_CHECK = /violates check constraint/;

/** lite makes a violated CHECK (23514) a 500 of its own code; PostgREST answers 400 and the SQLSTATE. */
export async function asPostgrest(response: Response): Promise<Response> {
  if (response.status !== 500) return response;
  const text = await response.text();
  const { headers } = response;
  if (!isViolatedCheck(text)) return new Response(text, { status: 500, headers });
  const body = { ...JSON.parse(text), code: '23514' };
  return new Response(JSON.stringify(body), { status: 400, headers: withoutLength(headers) });
}

function isViolatedCheck(text: string): boolean {
  try {
    const { code, message } = JSON.parse(text);
    return code === 'SUP' && VIOLATED_CHECK.test(message);
  } catch {
    return false;
  }
}

function withoutLength(headers: Headers): Headers {
  const kept = new Headers(headers);
  kept.delete('content-length');
  return kept;
}
