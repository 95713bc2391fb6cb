# What comes back of the inputs after a call is as large as a reply may be.
import __main__

__main__.service._again = lambda array, content: np.zeros(30 * 2**20, "i1")
