// Sends the browser's time zone with the sign-up, so that "today" is the person's today.
"use strict";

document.querySelector("[name=time_zone]").value = Intl.DateTimeFormat().resolvedOptions().timeZone;
