// Does the server have another build of the page by now? Its index names files that this one does not: their names bear
// their content. Nothing else tells, and a server that was only restarted changes nothing.
import { readIndex } from './api'
import { Store } from './store'

export const outdated = new Store(false)

export async function lookForUpdate(): Promise<void> {
  const names = (await readIndex()).matchAll(/"(a\/[\w.-]+)"/g)
  outdated.set([...names].some(([, name]) => !document.querySelector(`[href="${name}"], [src="${name}"]`)))
}
