using static TorchSharp.torch;

namespace Taba.Diffusion.Randomness;

/// <summary>The endless sequence of normal values that a generator gives in blocks of 16, read at any place. Not thread-safe.</summary>
sealed class NormalStream : IDisposable
{
    const int Block = NoiseAddress.Block;

    const int MaxDraw = 1 << 16;
    const int MaxSavedStates = 1024;

    readonly Generator _generator;
    readonly ScalarType _dtype;
    readonly int _elementSize;

    // Generator states (5 KB each) by the element they stand before, at multiples of the interval.
    readonly SortedList<long, byte[]> _saved = [];
    long _interval = 1 << 18;

    // Elements drawn so far, and the last block of them: a row may end inside a block that the next row begins in.
    long _position;
    byte[] _lastBlock;

    internal NormalStream(ulong seed, Dtype dtype)
    {
        _dtype = dtype.ToScalarType();
        _elementSize = dtype.Size();
        _generator = new Generator(seed, CPU);
        _lastBlock = [];
        Save();
    }

    /// <summary>All of a draw that is too small for blocks.</summary>
    internal static byte[] DrawWhole(ulong seed, Dtype dtype, long elements)
    {
        using var generator = new Generator(seed, CPU);
        using var values = randn([elements], dtype.ToScalarType(), CPU, generator: generator);
        return values.bytes.ToArray();
    }

    /// <summary>Writes the elements from a place on, as many as fit.</summary>
    internal void Read(long from, Span<byte> destination)
    {
        var skip = (int)(from % Block);
        if (skip != 0 && !destination.IsEmpty)
        {
            ReadBlock(from - skip);
            var first = _lastBlock.AsSpan(skip * _elementSize);
            first = first[..Math.Min(first.Length, destination.Length)];
            first.CopyTo(destination);
            destination = destination[first.Length..];
            from += first.Length / _elementSize;
        }

        if (destination.IsEmpty)
            return;

        Seek(from);
        while (!destination.IsEmpty)
        {
            var wanted = destination.Length / _elementSize;
            if (wanted < Block)
            {
                ReadBlock(_position);
                _lastBlock.AsSpan(0, destination.Length).CopyTo(destination);
                return;
            }

            var drawn = Draw(wanted - (wanted % Block), destination);
            destination = destination[(drawn * _elementSize)..];
        }
    }

    /// <summary>The last 16 values of a draw of that many elements, which is not a multiple of 16.</summary>
    internal byte[] DrawTail(long elements)
    {
        var remainder = elements % Block;
        Seek(elements - remainder);
        using (var thrownAway = empty([remainder], _dtype, CPU))
            thrownAway.uniform_(0, 1, _generator);
        using var values = randn([Block], _dtype, CPU, generator: _generator);

        // The generator now stands where no stream position is.
        Restore(0);
        return values.bytes.ToArray();
    }

    public void Dispose() => _generator.Dispose();

    void ReadBlock(long blockStart)
    {
        if (_lastBlock.Length > 0 && blockStart == _position - Block)
            return;
        Seek(blockStart);
        var block = new byte[Block * _elementSize];
        Draw(Block, block);
    }

    int Draw(int wanted, Span<byte> destination)
    {
        var count = CountToSave(wanted);
        using var values = randn([count], _dtype, CPU, generator: _generator);
        var bytes = values.bytes;
        bytes.CopyTo(destination);
        if (_lastBlock.Length == 0)
            _lastBlock = new byte[Block * _elementSize];
        bytes[^_lastBlock.Length..].CopyTo(_lastBlock);
        MoveTo(_position + count);
        return count;
    }

    void Seek(long target)
    {
        if (target == _position)
            return;

        var nearest = NearestSaved(target);
        if (target < _position || nearest > _position)
            Restore(nearest);

        // A uniform draw takes as much from the generator as a normal one of the same type, for less work.
        while (_position < target)
        {
            var count = CountToSave((int)Math.Min(target - _position, MaxDraw));
            using var skipped = empty([count], _dtype, CPU);
            skipped.uniform_(0, 1, _generator);
            _lastBlock = [];
            MoveTo(_position + count);
        }
    }

    // Draws end at the places where states are kept.
    int CountToSave(int wanted) => (int)Math.Min(Math.Min(wanted, MaxDraw), _interval - (_position % _interval));

    void MoveTo(long next)
    {
        _position = next;
        if (_position % _interval == 0 && !_saved.ContainsKey(_position))
            Save();
    }

    void Save()
    {
        using (var state = _generator.get_state())
            _saved.Add(_position, state.bytes.ToArray());
        if (_saved.Count <= MaxSavedStates)
            return;

        _interval *= 2;
        for (var i = _saved.Count - 1; i >= 0; i--)
        {
            if (_saved.Keys[i] % _interval != 0)
                _saved.RemoveAt(i);
        }
    }

    void Restore(long place)
    {
        using var state = tensor(_saved[place], ScalarType.Byte);
        _generator.set_state(state);
        _position = place;
        _lastBlock = [];
    }

    long NearestSaved(long target)
    {
        var (low, high) = (0, _saved.Count - 1);
        while (low < high)
        {
            var middle = (low + high + 1) / 2;
            (low, high) = _saved.Keys[middle] <= target ? (middle, high) : (low, middle - 1);
        }

        return _saved.Keys[low];
    }
}
