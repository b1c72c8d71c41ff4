// Pages that say a visit's time say it in the reader's own zone, too, where that is another time.
import { addOwnTimes } from "./ownzone.js";

addOwnTimes(document);
