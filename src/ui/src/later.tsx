// Parts of the page that a first look does not need: one chunk, fetched soon after, or when the first of them is used.
// (React's own lazy keeps a failure for good, and here it may have been the connection.)
import { useEffect, useState, type ComponentProps, type ComponentType } from 'react'
import { t } from './i18n'
import { showToast } from './notices'

type All = typeof import('./lazy/index')
type Parts = Omit<All, 'callFor'> // that are drawn

let parts: All | null = null

// Their style: the page names it, and it is fetched when it is disabled no more.
function loadStyle(): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const style = document.getElementById('later') as HTMLLinkElement
    style.addEventListener('load', resolve, { once: true })
    style.addEventListener('error', reject, { once: true })
    style.disabled = true
    style.disabled = false
  })
}

export const loadParts = async (): Promise<All> => (parts ??= (await Promise.all([import('./lazy/index'), loadStyle()]))[0])

type LaterProps<Name extends keyof Parts> = { part: Name } & ComponentProps<Parts[Name]>

const AGAIN_MS = 3_000

export function Later<Name extends keyof Parts>({ part, ...props }: LaterProps<Name>) {
  const [loaded, setLoaded] = useState(parts)
  useEffect(() => {
    if (loaded) return
    const { close } = props as { close?: () => void }
    let timer: ReturnType<typeof setTimeout> | undefined
    const load = () => loadParts().then(setLoaded, () => {
      showToast(t('error.unreachable'))
      // What cannot be closed cannot be done without.
      if (close) close()
      else timer = setTimeout(load, AGAIN_MS)
    })
    void load()
    return () => clearTimeout(timer)
  }, [])
  const Part = loaded?.[part] as ComponentType<typeof props> | undefined
  return Part ? <Part {...props} /> : null
}
