// Puts a text on the clipboard; whether it could. The proper way is missing on plain http.
export async function copy(text: string): Promise<boolean> {
  if (navigator.clipboard) return navigator.clipboard.writeText(text).then(() => true, () => false)
  const box = document.createElement('textarea')
  const focused = document.activeElement as HTMLElement | null
  box.value = text
  box.setAttribute('readonly', '')
  box.className = 'unseen'
  document.body.append(box)
  box.select()
  const done = document.execCommand('copy')
  box.remove()
  focused?.focus()
  return done
}
