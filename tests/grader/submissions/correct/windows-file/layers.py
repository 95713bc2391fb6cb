# -*- coding: latin-1 -*-
"""Odd: written in Notepad: latin-1 with umlauts, CRLF line ends, tabs, names that are not ASCII, no newline at the end."""
import numpy as np

# Größe der Ausgabe; überzählige Pixel am Rand fallen weg
def conv_output_size(size, kernel_size, stride=1, padding=0):
	return (size + 2*padding - kernel_size)//stride + 1

def stücke(größe, fenster, stride):
	"""Für jede Stelle im Fenster: welche Pixel sie der Reihe nach sieht."""
	anzahl = conv_output_size(größe, fenster, stride)
	return [slice(k, k + anzahl*stride, stride) for k in range(fenster)]

def auffüllen(x, padding):
	return np.pad(x, ((0,0),(0,0),(padding,padding),(padding,padding)), 'constant')

def im2col(bild, fenster, stride=1, padding=0):
	x = auffüllen(bild, padding)
	zeilen = []
	for kanal in range(x.shape[1]):
		for h in stücke(x.shape[2], fenster[0], stride):
			for b in stücke(x.shape[3], fenster[1], stride):
				zeilen.append(x[:, kanal, h, b].flatten())
	return np.array(zeilen)

def col2im(cols, x_shape, kernel_size, stride=1, padding=0):
	N, C, H, W = x_shape
	x = np.zeros((N, C, H+2*padding, W+2*padding), dtype=cols.dtype)
	zeile = 0
	for kanal in range(C):
		for h in stücke(x.shape[2], kernel_size[0], stride):
			for b in stücke(x.shape[3], kernel_size[1], stride):
				x[:, kanal, h, b] += cols[zeile].reshape(x[:, kanal, h, b].shape)
				zeile += 1
	return x[:, :, padding:H+padding, padding:W+padding]

def conv2d_forward(x, w, b, stride=1, padding=0):
	x = auffüllen(x, padding)
	höhe = stücke(x.shape[2], w.shape[2], stride)
	breite = stücke(x.shape[3], w.shape[3], stride)
	out = b[np.newaxis, :, np.newaxis, np.newaxis]
	for i, h in enumerate(höhe):
		for j, br in enumerate(breite):
			out = out + np.einsum('fc,nchw->nfhw', w[:, :, i, j], x[:, :, h, br])
	return out, (x, w, höhe, breite, padding)

def conv2d_backward(dout, cache):
	x, w, höhe, breite, padding = cache
	dx, dw, db = np.zeros(x.shape, x.dtype), np.zeros(w.shape, w.dtype), dout.sum(axis=(0,2,3))
	for i, h in enumerate(höhe):
		for j, br in enumerate(breite):
			dw[:, :, i, j] = np.einsum('nfhw,nchw->fc', dout, x[:, :, h, br])
			dx[:, :, h, br] += np.einsum('nfhw,fc->nchw', dout, w[:, :, i, j])
	unten, rechts = dx.shape[2] - padding, dx.shape[3] - padding
	return dx[:, :, padding:unten, padding:rechts], dw, db

def max_pool2d_forward(bild, fenster, stride):
	größtes, sieger = None, None
	nummer = 0
	for h in stücke(bild.shape[2], fenster[0], stride):
		for b in stücke(bild.shape[3], fenster[1], stride):
			teil = bild[:, :, h, b]
			if größtes is None:
				größtes, sieger = teil.copy(), np.zeros(teil.shape, dtype=int)
			sieger = np.where(teil > größtes, nummer, sieger)
			größtes = np.maximum(größtes, teil)
			nummer += 1
	return größtes, (sieger, bild.shape, fenster, stride)

def max_pool2d_backward(dout, merkzettel):
	sieger, x_shape, kernel_size, stride = merkzettel
	dx = np.zeros(x_shape, dtype=dout.dtype)
	nummer = 0
	for h in stücke(x_shape[2], kernel_size[0], stride):
		for b in stücke(x_shape[3], kernel_size[1], stride):
			dx[:, :, h, b] += dout*(sieger == nummer)
			nummer += 1
	return dx

def avg_pool2d_forward(bild, fenster, stride):
	summe = 0
	for h in stücke(bild.shape[2], fenster[0], stride):
		for b in stücke(bild.shape[3], fenster[1], stride):
			summe = summe + bild[:, :, h, b]
	return summe/(fenster[0]*fenster[1]), (bild.shape, fenster, stride)

def avg_pool2d_backward(dout, merkzettel):
	x_shape, kernel_size, stride = merkzettel
	dx = np.zeros(x_shape, dtype=dout.dtype)
	for h in stücke(x_shape[2], kernel_size[0], stride):
		for b in stücke(x_shape[3], kernel_size[1], stride):
			dx[:, :, h, b] += dout/(kernel_size[0]*kernel_size[1])
	return dx