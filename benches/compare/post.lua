-- Posts one Maltego request again and again; with FRESH set, each differs in a setting, so that none is answered
-- from rendered bytes.
local file = assert(io.open(os.getenv("REQUEST"), "rb"))
local body = file:read("*a")
file:close()
local fresh = os.getenv("FRESH")
local count = 0

wrk.method = "POST"
wrk.headers["Content-Type"] = "text/xml"
wrk.headers["Authorization"] = "Bearer " .. (os.getenv("TOKEN") or "none")
wrk.body = body

if fresh then
  function request()
    count = count + 1
    return wrk.format(nil, nil, nil, (body:gsub("@@", tostring(count), 1)))
  end
end
