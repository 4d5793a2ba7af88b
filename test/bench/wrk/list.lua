-- wrk -t2 -c64 -d10s --latency -s test/bench/wrk/list.lua http://localhost:3000
-- Lists of ten, one after the other of PAGES pages (environment; 1); WHERE is a filter, as "where[sender][equals]=1"; TOKEN signs them.
function init()
  local pages, filter = tonumber(os.getenv("PAGES") or "1"), os.getenv("WHERE")
  local headers = {}
  if os.getenv("TOKEN") then headers["Authorization"] = "JWT " .. os.getenv("TOKEN") end
  requests, n = {}, 0
  for page = 1, pages do
    local path = "/api/messages?limit=10&page=" .. page .. (filter and "&" .. filter or "")
    requests[page] = wrk.format("GET", path, headers)
  end
end

function request()
  n = n % #requests + 1
  return requests[n]
end
