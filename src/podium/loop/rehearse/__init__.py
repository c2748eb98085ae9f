"""A forecaster rehearsed on a recorded load: asked at many moments of its past, judged by what came."""
