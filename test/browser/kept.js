// What the page keeps in the browser's database of what it has seen.

// `ask` is getAll or getAllKeys; '' where there is no such database.
const read = (visitor, ask) => visitor.page.evaluate((method) => new Promise((resolve) => {
  const request = indexedDB.open('parley', 1)
  request.onupgradeneeded = () => request.transaction.abort()
  request.onerror = () => resolve('')
  request.onsuccess = () => {
    const all = request.result.transaction('seen').objectStore('seen')[method]()
    all.onsuccess = () => resolve(all.result)
    request.result.close()
  }
}), ask)

export const keptKeys = (visitor) => read(visitor, 'getAllKeys')
export const keptText = async (visitor) => JSON.stringify(await read(visitor, 'getAll'))

async function until(visitor, fits) {
  for (let n = 0; n < 300; n++) {
    if (fits(await keptText(visitor), await keptKeys(visitor))) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error(`what is kept: ${await keptKeys(visitor)}: ${await keptText(visitor)}`)
}

export const keeps = (visitor, ...texts) => until(visitor, (all) => texts.every((text) => all.includes(text)))
export const keepsNoMore = (visitor, text) => until(visitor, (all) => !all.includes(text))
export const keepsOnlyOf = (visitor, id) => until(visitor, (_, keys) => keys.every((key) => key.startsWith(`${id}.`)))
export const keepsNothing = (visitor) => until(visitor, (all) => all === '[]')
