// The server's answers: the only place that calls fetch.

const ANSWER_MS = 30_000 // the longest wait for one

export class Refusal extends Error {
  constructor(message, status) {
    super(message)
    this.status = status // 0: no answer came, or none that can be read
  }
}

function reasonOf(answer) {
  const error = answer?.errors?.[0]
  const flaws = error?.data?.errors ?? []
  return flaws.map((flaw) => flaw.message).join(' ') || error?.message || 'Something went wrong.'
}

// The answer's JSON; throws a Refusal whose message can be shown. Addresses are relative: the server may lie behind a
// proxy, under any path.
export async function call(method, path, body) {
  const request = { method, signal: AbortSignal.timeout?.(ANSWER_MS) }
  if (body) Object.assign(request, { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) })
  let response, answer
  try {
    response = await fetch(`api/${path}`, request)
    answer = await response.json()
  } catch {
    throw new Refusal(response ? 'The answer could not be read.' : 'The server cannot be reached.', 0)
  }
  if (!response.ok) throw new Refusal(reasonOf(answer), response.status)
  return answer
}

export const idOf = (user) => (user !== null && typeof user === 'object' ? user.id : user)
