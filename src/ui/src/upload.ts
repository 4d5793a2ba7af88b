// Sends a file. By XMLHttpRequest: fetch tells nothing of a body's progress.
import { Refusal, refusalOf, type ErrorBody } from './api'
import { t } from './i18n'
import type { Media } from './types'

export interface Upload {
  done: Promise<Media>
  cancel: () => void
}

export function upload(file: File, alt: string, progress: (part: number) => void): Upload {
  const request = new XMLHttpRequest()
  const form = new FormData()
  form.append('_payload', JSON.stringify({ alt }))
  form.append('file', file, file.name)
  const done = new Promise<Media>((resolve, reject) => {
    request.upload.onprogress = (event) => event.lengthComputable && progress(event.loaded / event.total)
    request.onload = () => {
      const answer = request.response as ({ doc?: Media } & ErrorBody) | null
      if (request.status < 300 && answer?.doc) resolve(answer.doc)
      else reject(refusalOf(request.status, answer, request.getResponseHeader('Retry-After')))
    }
    request.onerror = () => reject(new Refusal(t('error.unreachable'), 0))
  })
  request.open('POST', 'api/media')
  request.responseType = 'json'
  request.send(form)
  return { done, cancel: () => request.abort() }
}
